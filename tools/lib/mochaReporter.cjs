const { writeFileSync } = require("node:fs");
const { reporters } = require("mocha");

/** Mocha's spec reporter that also leaves the totals in the file that MULTIARCH_TEST_REPORT names. */
module.exports = class CountingReporter extends reporters.Spec {
    constructor(runner, options) {
        super(runner, options);
        const file = process.env.MULTIARCH_TEST_REPORT;
        if (file) {
            runner.once("end", () => {
                const { passes, failures } = this.stats;
                writeFileSync(file, JSON.stringify({ passed: passes, failed: failures }));
            });
        }
    }
};
