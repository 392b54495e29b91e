import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { checkNodes, type CheckOptions } from "../../../sdk/build/lease";
import type { BuilderNode } from "../../../sdk/builders/node";
import { describeNode } from "../../../sdk/builders/node";
import { MultiArchError, type ErrorCode } from "../../../sdk/errors";
import { startEc2Double, type DoubleInstance, type Ec2Double } from "../../support/ec2Double";
import { failedCheck, findClosedPort, nodeOn, startBuilder, type TestServer } from "./testBuilders";

const first = "i-0000000000000000a";
const second = "i-0000000000000000b";
const region = "eu-central-1";
// It prefers the first instance.
const image = { platform: "linux/amd64", repository: "registry.example.com/team/hello", isPushed: true };

/** The real AWS SDK asks a double of EC2; what it starts is a gRPC server of this process that answers like BuildKit. */
describe("builders on EC2", () => {
    let builder: TestServer;
    let ec2: Ec2Double;
    const environment = { ...process.env };

    before(async () => {
        [builder, ec2] = await Promise.all([startBuilder({}), startEc2Double()]);
        Object.assign(process.env, ec2.env);
    });

    after(async () => {
        process.env = environment;
        await Promise.all([builder.close(), ec2.close()]);
    });

    beforeEach(() => {
        ec2.instances.clear();
        ec2.asked.length = 0;
        ec2.refuses = undefined;
    });

    const options = (more: CheckOptions = {}): CheckOptions => ({ lookMs: 20, bootMs: 3_000, patienceMs: 0, ...more });
    const onEc2 = (instanceId: string, more: Partial<BuilderNode["ec2"]> = {}): BuilderNode => {
        const place = `EC2 instance ${instanceId} in ${region}`;
        return nodeOn(0, { name: place, address: place, ec2: { instanceId, region, port: builder.port, ...more } });
    };
    const local = { privateAddress: "127.0.0.1" };
    const failure = (nodes: BuilderNode[], code: ErrorCode, more?: CheckOptions): Promise<MultiArchError> => {
        return failedCheck(image, nodes, code, options(more));
    };
    const starts = (): string[] => ec2.asked.filter((action) => action.startsWith("Start"));

    it("on demand are started only where none of the others gets a machine, whatever the image prefers", async () => {
        const nodes = [onEc2(first, { fallback: true }), onEc2(second)];
        ec2.instances.set(first, { state: "stopped", ...local });
        ec2.instances.set(second, { state: "stopped", ...local });
        await checkNodes(image, nodes, options());
        assert.deepEqual(starts(), [`StartInstances ${second}`]);

        ec2.asked.length = 0;
        ec2.instances.set(second, { state: "stopped", ...local, refusesStart: "IncorrectSpotRequestState" });
        const { choices, skipped } = await checkNodes(image, nodes, options());
        assert.deepEqual(starts(), [`StartInstances ${second}`, `StartInstances ${first}`]);
        assert.deepEqual([choices.length, skipped.map(({ error }) => error.code)], [1, ["builder-ec2-capacity"]]);

        ec2.asked.length = 0;
        ec2.instances.set(first, { state: "running", ...local });
        ec2.instances.set(second, { state: "stopped", ...local });
        const again = await checkNodes(image, nodes, options());
        assert.deepEqual(starts(), [`StartInstances ${second}`], "one that runs costs more than the others");
        assert.equal(again.choices[0].node.ec2?.instanceId, second);

        for (const id of [first, second]) {
            ec2.instances.set(id, { state: "running", ...local });
        }
        const both = await checkNodes(image, nodes, options());
        assert.deepEqual(
            both.choices.map(({ node }) => node.ec2?.instanceId),
            [second, first],
        );
    });

    it("on demand stay asleep while one before them may be there in a moment", async () => {
        const nodes = [onEc2(first, { fallback: true }), onEc2(second)];
        ec2.instances.set(first, { state: "stopped", ...local });
        // It has just turned itself off, and EC2 does not know it yet.
        const other: DoubleInstance = { state: "running", privateAddress: "127.0.0.2" };
        ec2.instances.set(second, other);
        setTimeout(() => Object.assign(other, { state: "stopped", ...local }), 300);
        const { choices } = await checkNodes(image, nodes, options({ patienceMs: 3_500 }));
        assert.deepEqual(starts(), [`StartInstances ${second}`]);
        assert.deepEqual(
            choices.map(({ node }) => node.ec2?.instanceId),
            [second],
        );

        ec2.asked.length = 0;
        ec2.instances.set(second, { state: "running", privateAddress: "127.0.0.2" });
        const late = await checkNodes(image, nodes, options({ patienceMs: 2_500 }));
        assert.deepEqual(starts(), [`StartInstances ${first}`], "in the end it is needed");
        assert.equal(late.choices[0].node.ec2?.instanceId, first);
    });

    it("are started when they are stopped, and built on at the address they have then", async () => {
        ec2.instances.set(first, { state: "stopped", ...local });
        const told: string[] = [];
        const {
            choices: [{ node }],
        } = await checkNodes(image, [onEc2(first)], options({ onStatus: (text) => told.push(text) }));
        assert.equal(node.address, `tcp://127.0.0.1:${builder.port}`);
        assert.equal(describeNode(node), `EC2 instance ${first} in ${region} (tcp://127.0.0.1:${builder.port})`);
        assert.deepEqual(starts(), [`StartInstances ${first}`]);
        assert.equal(told[0], `starting EC2 instance ${first} in ${region}`);
        assert.match(told[1] ?? "", /^waiting for the machine of EC2 instance .*, 0 s so far$/);
    });

    it("are not started when they run, and the public address is used where that is asked for", async () => {
        ec2.instances.set(first, { state: "running", privateAddress: "192.0.2.1", publicAddress: "127.0.0.1" });
        const {
            choices: [{ node }],
        } = await checkNodes(image, [onEc2(first, { addressKind: "public" })], options());
        assert.equal(node.address, `tcp://127.0.0.1:${builder.port}`);
        assert.deepEqual(ec2.asked, [`DescribeInstances ${first}`]);
    });

    it("stay asleep while another builder is native and fit", async () => {
        ec2.instances.set(first, { state: "stopped", ...local });
        const nodes = [onEc2(first), nodeOn(builder.port)];
        assert.equal((await checkNodes(image, nodes, options())).choices[0].node, nodes[1]);
        assert.deepEqual(starts(), []);
    });

    it("are all left asleep but the first one that gets a machine", async () => {
        ec2.instances.set(first, { state: "stopped", ...local });
        ec2.instances.set(second, { state: "stopped", ...local });
        await checkNodes(image, [onEc2(first), onEc2(second)], options());
        assert.deepEqual(starts(), [`StartInstances ${first}`]);
    });

    for (const code of ["InsufficientInstanceCapacity", "SpotMaxPriceTooLow", "IncorrectSpotRequestState"]) {
        it(`fall back to the next one on ${code}`, async () => {
            ec2.instances.set(first, { state: "stopped", ...local, refusesStart: code });
            ec2.instances.set(second, { state: "stopped", ...local });
            const {
                choices: [{ node }],
                skipped,
            } = await checkNodes(image, [onEc2(first), onEc2(second)], options());
            assert.equal(node.ec2?.instanceId, second);
            assert.deepEqual(
                skipped.map(({ error }) => error.code),
                ["builder-ec2-capacity"],
            );
        });
    }

    it("fall back when a start was accepted and found no machine", async () => {
        const reason = "Server.InsufficientInstanceCapacity";
        ec2.instances.set(first, { state: "stopped", startsAs: "stopped", reason, ...local });
        ec2.instances.set(second, { state: "stopped", ...local });
        const {
            choices: [{ node }],
        } = await checkNodes(image, [onEc2(first), onEc2(second)], options());
        assert.equal(node.ec2?.instanceId, second);
        assert.deepEqual(starts(), [`StartInstances ${first}`, `StartInstances ${second}`]);
    });

    it("are waited for while they boot, and started by nobody else", async () => {
        ec2.instances.set(first, { state: "pending" });
        setTimeout(() => ec2.instances.set(first, { state: "running", startedAt: Date.now(), ...local }), 100);
        await checkNodes(image, [onEc2(first)], options());
        assert.deepEqual(starts(), []);
    });

    it("are started again when they were about to stop", async () => {
        const instance = { state: "stopping", ...local };
        ec2.instances.set(first, instance);
        setTimeout(() => (instance.state = "stopped"), 100);
        await checkNodes(image, [onEc2(first)], options());
        assert.deepEqual(starts(), [`StartInstances ${first}`]);
    });

    it("fail with what BuildKit lacks when it does not come up in time", async () => {
        ec2.instances.set(first, { state: "stopped", ...local });
        const port = await findClosedPort();
        const error = await failure([onEc2(first, { port })], "builder-refused", { bootMs: 200 });
        assert.match(
            error.message,
            new RegExp(`EC2 instance ${first} in ${region} \\(tcp://127\\.0\\.0\\.1:${port}\\)`),
        );
    });

    it("fail by name when they are gone, unknown, forbidden, without capacity or without an address", async () => {
        ec2.instances.set(first, { state: "terminated" });
        assert.match((await failure([onEc2(first)], "builder-ec2-unknown")).message, /is terminated/);
        await failure([onEc2("i-0123456789abcdef0")], "builder-ec2-unknown");
        ec2.instances.set(first, { state: "running" });
        assert.match((await failure([onEc2(first)], "builder-ec2")).message, /runs and has no private address/);
        ec2.instances.set(first, { state: "stopped", refusesStart: "InsufficientInstanceCapacity" });
        const error = await failure([onEc2(first)], "builder-ec2-capacity");
        assert.match(
            error.message,
            /in eu-central-1 cannot be started: InsufficientInstanceCapacity: The double says no/,
        );
        assert.match(error.message, /property: builders\.endpoints\[1\]\.ec2$/m);
        ec2.refuses = "UnauthorizedOperation";
        const denied = await failure([onEc2(first)], "builder-ec2-denied");
        assert.match(denied.message, /cannot be looked up: UnauthorizedOperation \[/, "not the encoded request");
        assert.doesNotMatch(denied.message, /hunter2/);
    });

    it("end their wait when the user cancels", async () => {
        ec2.instances.set(first, { state: "pending" });
        const signal = AbortSignal.timeout(150);
        await failure([onEc2(first)], "build-cancelled", { signal });
    });

    it("need the actions of the policy in the docs, and no other", async () => {
        ec2.instances.set(first, { state: "stopped", ...local });
        await checkNodes(image, [onEc2(first)], options());
        const used = new Set(ec2.asked.map((action) => `ec2:${action.split(" ")[0]}`));
        const [, section = ""] = readFileSync("docs/ec2.md", "utf8").split("\n## Package and credentials\n");
        const [, text = ""] = /```json\n(.*?)```/s.exec(section) ?? [];
        const policy = JSON.parse(text) as { Statement: { Action: string; Effect: string }[] };
        assert.deepEqual(policy.Statement.map(({ Action }) => Action).sort(), [...used].sort());
    });
});
