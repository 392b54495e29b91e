import { cleanUpOnInterrupt } from "./interrupt";
import { createRunFolder } from "./runFolder";
import { stopWorld } from "./world";

createRunFolder();
cleanUpOnInterrupt();

/** Loaded by mocha before all test files: whatever a test has started ends with the run, also after a failure. */
export const mochaHooks = {
    async afterAll(this: Mocha.Context): Promise<void> {
        this.timeout(60_000);
        await stopWorld();
    },
};
