import assert from "node:assert/strict";

import { describeUse, noteStart, takeStart } from "../../../../sdk/builders/ec2/machineUse";

const target = { instanceId: "i-0123456789abcdef0", region: "eu-central-1" };
const minute = 60_000;

describe("the time a build keeps an instance awake", () => {
    it("goes from the start of the instance to the end of the build, and the idle time after it", () => {
        const times = { startedAt: 10 * minute, beganAt: 11 * minute, endedAt: 14 * minute };
        assert.deepEqual(describeUse({ ...target, idleMinutes: 15 }, times), { started: true, awakeSeconds: 19 * 60 });
    });

    it("begins with the build where the instance ran already", () => {
        const times = { beganAt: 11 * minute, endedAt: 14 * minute };
        assert.deepEqual(describeUse(target, times), { started: false, awakeSeconds: 180 });
    });

    it("begins with the build also where the instance was lost and started again after the place was taken", () => {
        const times = { startedAt: 12 * minute, beganAt: 11 * minute, endedAt: 14 * minute };
        assert.deepEqual(describeUse(target, times), { started: true, awakeSeconds: 180 });
    });

    it("costs what the price says, and nothing is guessed where there is none", () => {
        const times = { beganAt: 0, endedAt: 30 * minute };
        const { estimatedUsd } = describeUse({ ...target, idleMinutes: 15, hourlyUsd: 0.2016 }, times);
        assert.equal(estimatedUsd, 0.1512);
        assert.equal("estimatedUsd" in describeUse(target, times), false);
        assert.equal(describeUse({ ...target, hourlyUsd: 0 }, times).estimatedUsd, 0);
    });

    it("counts a start for one build alone, and for each instance by itself", () => {
        noteStart("i-1", 5);
        noteStart("i-2", 6);
        assert.deepEqual(
            [takeStart("i-1"), takeStart("i-1"), takeStart("i-2"), takeStart("i-3")],
            [5, undefined, 6, undefined],
        );
    });
});
