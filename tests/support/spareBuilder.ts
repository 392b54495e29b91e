import assert from "node:assert/strict";

import { thaw } from "./builderFaults";
import { getWorld, type Builder } from "./world";

/** Two builders of linux/amd64 that may be harmed: each test finds both there again. */
export interface TwoBuilders {
    /** The one of the world, and a spare one. */
    readonly all: Builder[];
    /** The one that an output says to build on now. */
    of(output: string): Builder;
    otherThan(builder: Builder): Builder;
}

/** Gives a suite two builders of a platform. What its tests do to them is undone after each. */
export function useTwoBuilders(name: string): TwoBuilders {
    const all: Builder[] = [];
    before(async () => {
        const world = await getWorld();
        all.push(world.builders.amd64, await world.addBuilder("amd64", name));
    });
    afterEach(async () => {
        await Promise.all(
            all.map(async (builder) => {
                thaw(builder);
                await builder.host.connect();
                await builder.start();
            }),
        );
    });
    after(() => all[1]?.stop());
    return {
        all,
        of: (output) => {
            const address = [...output.matchAll(/(?:building|retrying) on (tcp:\S+?)[, ]/g)].at(-1)?.[1];
            return all.find(({ endpoint }) => endpoint.address === address) ?? assert.fail(output);
        },
        otherThan: (builder) => all.find((one) => one !== builder) ?? assert.fail("there is one builder"),
    };
}
