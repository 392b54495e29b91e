import assert from "node:assert/strict";
import fc from "fast-check";
import { countAhead, countAll, describeTicket } from "../../../../sdk/build/queue/line";
import type { BuildRecord } from "../../../../sdk/builders/control/messages";

const repository = "registry.example.com/app";

describe("the line before a builder", () => {
    it("is one of tickets by age, whatever the order they are listed in", () => {
        const tickets = [ticket("c", 3), ticket("a", 1), ticket("b", 2)];
        assert.deepEqual(
            ["a", "b", "c"].map((ref) => countAhead(tickets, ref)),
            [0, 1, 2],
        );
    });

    it("tells tickets of the same second apart by their nanoseconds, and of the same time by their names", () => {
        const tickets = [ticket("z", 1, 4), ticket("y", 1, 5), ticket("x", 1, 5)];
        assert.deepEqual(
            ["z", "x", "y"].map((ref) => countAhead(tickets, ref)),
            [0, 1, 2],
        );
    });

    it("does not count the build of somebody who holds a ticket twice", () => {
        const records = [ticket("a", 1), build("buildx-1", repository), ticket("b", 2)];
        assert.equal(countAhead(records, "b"), 1);
        assert.equal(countAll(records), 2);
    });

    it("counts builds that nobody holds a ticket for, also beside those of others", () => {
        const records = [
            ticket("a", 1),
            build("1", repository),
            build("2", repository),
            build("3", "other"),
            build("4"),
        ];
        assert.equal(countAhead(records, "a"), 3);
        assert.equal(countAll(records), 4);
    });

    it("knows a build that pushes nothing", () => {
        const records = [ticket("a", 1, 0, false), build("1")];
        assert.equal(countAhead(records, "a"), 0);
    });

    it("does not know a ticket that is not listed", () => {
        assert.equal(countAhead([ticket("a", 1)], "b"), undefined);
    });

    it("gives as many tickets a place as there are, and those the oldest", () => {
        const tickets = fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.nat(9)), { maxLength: 12 });
        fc.assert(
            fc.property(tickets, fc.integer({ min: 1, max: 5 }), (times, limit) => {
                const records = times.map(([seconds, nanos], index) => ticket(String(index), seconds, nanos));
                const placed = records.filter(({ Ref }) => (countAhead(records, Ref) ?? Infinity) < limit);
                assert.equal(placed.length, Math.min(limit, records.length));
                const ages = records.map(ageOf).sort((one, other) => one - other);
                assert.deepEqual(
                    placed.map(ageOf).sort((one, other) => one - other),
                    ages.slice(0, limit),
                );
            }),
        );
    });
});

function ticket(Ref: string, seconds: number, nanos = 0, isPushed = true): BuildRecord {
    const FrontendAttrs = describeTicket({ platform: "linux/amd64", repository, isPushed });
    return { Ref, FrontendAttrs, Exporters: [], CreatedAt: { seconds, nanos }, CompletedAt: null };
}

function build(Ref: string, name?: string): BuildRecord {
    const Exporters = name === undefined ? [] : [{ Type: "image", Attrs: { name } }];
    return { Ref, FrontendAttrs: {}, Exporters, CreatedAt: { seconds: 9, nanos: 0 }, CompletedAt: null };
}

function ageOf({ CreatedAt }: BuildRecord): number {
    return (CreatedAt?.seconds ?? 0) * 100 + (CreatedAt?.nanos ?? 0);
}
