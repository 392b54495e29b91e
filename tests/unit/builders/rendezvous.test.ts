import assert from "node:assert/strict";
import fc from "fast-check";
import { orderNodes } from "../../../sdk/builders/rendezvous";

const images = Array.from({ length: 4_000 }, (_, number) => `registry.example.com/team/app-${number} linux/amd64`);

describe("the builders an image prefers", () => {
    for (const count of [1, 2, 4]) {
        it(`are shared out evenly among ${count}`, () => {
            const shares = countShares(items(count));
            const even = images.length / count;
            // Six standard deviations of a fair draw.
            const slack = 6 * Math.sqrt(even * (1 - 1 / count));
            assert.equal(shares.size, count);
            for (const share of shares.values()) {
                assert.ok(Math.abs(share - even) <= slack, `${share} of ${images.length} instead of ${even}`);
            }
        });
    }

    it("are preferred in proportion to their places", () => {
        const [small, large] = [item("tcp://small:1234", 2), item("tcp://large:1234", 6)];
        const shares = countShares([small, large]);
        const share = (shares.get("tcp://large:1234") ?? 0) / images.length;
        assert.ok(Math.abs(share - 0.75) < 0.05, String(share));
    });

    it("are the same on every machine", () => {
        const order = orderNodes("registry.example.com/team/app linux/arm64", items(4)).map(({ node }) => node.address);
        assert.deepEqual(
            order,
            [1, 4, 2, 3].map((number) => `tcp://10.0.0.${number}:1234`),
        );
    });

    const name = fc.stringMatching(/^[a-z0-9]{1,12}$/);
    const fleet = fc
        .uniqueArray(fc.tuple(name, fc.integer({ min: 1, max: 16 })), {
            minLength: 2,
            maxLength: 8,
            selector: ([host]) => host,
        })
        .map((hosts) => hosts.map(([host, places]) => item(`tcp://${host}:1234`, places)));

    it("do not depend on the order in which builders are listed", () => {
        fc.assert(
            fc.property(fleet, name, fc.nat(), (nodes, image, turn) => {
                const start = turn % nodes.length;
                const turned = [...nodes.slice(start), ...nodes.slice(0, start)];
                assert.deepEqual(orderNodes(image, turned), orderNodes(image, nodes));
            }),
        );
    });

    it("stay in their order when one is lost: only its images move, each to its second choice", () => {
        fc.assert(
            fc.property(fleet, name, fc.nat(), (nodes, image, which) => {
                const lost = nodes[which % nodes.length];
                const before = orderNodes(image, nodes);
                const after = orderNodes(
                    image,
                    nodes.filter((node) => node !== lost),
                );
                assert.deepEqual(
                    after,
                    before.filter((node) => node !== lost),
                );
            }),
        );
    });
});

interface Item {
    readonly node: { readonly address: string; readonly maxParallelism: number };
}

function item(address: string, maxParallelism = 4): Item {
    return { node: { address, maxParallelism } };
}

function items(count: number): Item[] {
    return Array.from({ length: count }, (_, number) => item(`tcp://10.0.0.${number + 1}:1234`));
}

function countShares(nodes: readonly Item[]): Map<string, number> {
    const shares = new Map<string, number>();
    for (const image of images) {
        const address = orderNodes(image, nodes)[0]?.node.address ?? "";
        shares.set(address, (shares.get(address) ?? 0) + 1);
    }
    return shares;
}
