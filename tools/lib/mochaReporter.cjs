const { writeFileSync } = require("node:fs");
const { reporters } = require("mocha");

/** Mocha's spec reporter that also leaves totals, and how long each file took, in the file that MULTIARCH_TEST_REPORT names. */
module.exports = class CountingReporter extends reporters.Spec {
    constructor(runner, options) {
        super(runner, options);
        const file = process.env.MULTIARCH_TEST_REPORT;
        if (file) {
            const durations = {};
            runner.on("test end", (test) => {
                durations[test.file] = (durations[test.file] ?? 0) + (test.duration ?? 0);
            });
            runner.once("end", () => {
                const { passes, failures } = this.stats;
                writeFileSync(file, JSON.stringify({ passed: passes, failed: failures, durations }));
            });
        }
    }
};
