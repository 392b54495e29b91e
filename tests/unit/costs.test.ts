import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const page = readFileSync(join(__dirname, "..", "..", "docs", "cost.md"), "utf8");

/** What the page takes for given. */
const days = 21;
const hours = 9;
const minutes = { boot: 1, build: 3, idle: 15 };
const hoursOfMonth = 730;
/** US dollars for an hour of both machines, and for a month of both disks. */
const small = 0.2016 + 0.1632;
const large = 4 * small;
const disks = 2 * (100 + 8) * 0.08;
const depot = { plan: 200, included: 5_000, more: 0.04 };

/** Hours a month that a builder is on, when builds come evenly through the day. */
function hoursAwake(builds: number): number {
    const whole = minutes.boot + minutes.build + minutes.idle;
    const between = (hours * 60) / builds;
    return (days * ((builds - 1) * Math.min(between, whole) + whole)) / 60;
}

function describeRow(builds: number): string[] {
    const awake = hoursAwake(builds);
    const buildMinutes = days * builds * minutes.build;
    const money = (amount: number): string => `$${Math.round(amount).toLocaleString("en")}`;
    return [
        String(builds),
        `${Math.round(awake)} h`,
        money(awake * small + disks),
        money(awake * large + disks),
        money(hoursOfMonth * small + disks),
        money(hoursOfMonth * large + disks),
        money(depot.plan + depot.more * Math.max(0, buildMinutes - depot.included)),
        buildMinutes.toLocaleString("en"),
    ];
}

describe("the worked example of costs", () => {
    it("has the figures that its own formula gives", () => {
        const rows = page
            .split("\n")
            .map((line) => line.split("|").map((cell) => cell.trim()))
            .filter(([, first]) => /^\d+$/.test(first ?? ""))
            .map((cells) => cells.slice(1, -1));
        assert.deepEqual(rows, [4, 20, 100].map(describeRow));
    });
});
