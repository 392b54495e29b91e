import assert from "node:assert/strict";

import { buildFromNothing, leaveNothing, stayOff, wakeByBuild, type FleetSite } from "../support/fleetFlow";
import { openAccount } from "./account";

/**
 * What `tests/integration/ec2FromNothing.test.ts` does with a double, in a real account: `npm run test:aws` runs it, and
 * takes away what is left when it ends in the middle.
 */
describe("a fleet in a real account", () => {
    let site: (FleetSite & { close(): void }) | undefined;
    const get = (): FleetSite => site ?? assert.fail("there is no account");

    before(async () => {
        site = await openAccount();
    });
    after(() => site?.close());

    it("is made by one up, with an image that is built on it", async () => {
        await buildFromNothing(get());
    });

    it("turns itself off, and an up without a build leaves it so", async () => {
        await stayOff(get());
    });

    it("is woken by the next build", async () => {
        const uses = await wakeByBuild(get());
        console.log(`      ${JSON.stringify(uses)}`);
    });

    it("is destroyed, and leaves nothing", async () => {
        await leaveNothing(get());
    });
});
