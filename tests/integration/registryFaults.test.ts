import { describeFaults } from "../support/faultSuite";

/**
 * One fault of the registry at a time, in every request that reads or writes an index, its tags and what it lists:
 * see docs/registry-faults.md. The registry is real; a proxy in front of it makes the faults.
 */
describe("a fault of the registry", () => {
    describeFaults("index", "conflict", "refresh", "tag gone", "index gone", "delete");
});
