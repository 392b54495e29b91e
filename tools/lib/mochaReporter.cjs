const { writeFileSync } = require("node:fs");
const { reporters } = require("mocha");

/**
 * Mocha's spec reporter that also leaves totals, how long each file took and what came of each test, in the file that
 * MULTIARCH_TEST_REPORT names.
 */
module.exports = class CountingReporter extends reporters.Spec {
    constructor(runner, options) {
        super(runner, options);
        const file = process.env.MULTIARCH_TEST_REPORT;
        if (file) {
            const durations = {};
            const tests = [];
            runner.on("test end", (test) => {
                tests.push({ file: test.file, title: test.fullTitle(), passed: test.isPassed() });
                durations[test.file] = (durations[test.file] ?? 0) + (test.duration ?? 0);
            });
            runner.once("end", () => {
                const { passes, failures } = this.stats;
                writeFileSync(file, JSON.stringify({ passed: passes, failed: failures, durations, tests }));
            });
        }
    }
};
