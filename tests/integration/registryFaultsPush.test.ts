import { describeFaults } from "../support/faultSuite";

/** The same for what a builder asks when it pushes, and for what is checked before and after a build. */
describe("a fault of the registry", () => {
    describeFaults("push");
});
