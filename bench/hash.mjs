// Measures how long it takes to hash a large context, beside the provider docker-build on the same files.

import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runMain, say, step } from "../tools/lib/console.mjs";
import { dockerBuild } from "../tools/lib/goTable.mjs";
import { ensureToolchain } from "../tools/lib/toolchain.mjs";
import { makeTree } from "./lib/tree.mjs";

/** @typedef {import("./lib/measure.mjs").Measurement} Measurement */

const HELP = `Usage: node bench/hash.mjs [--files 50000] [--bytes 1000000000] [--rounds 5]

Makes a folder of files, and hashes it with this package and with the provider docker-build ${dockerBuild.version} in turns,
each time in a process of its own. Linux only. The first run builds docker-build, which takes some minutes.
`;

const TARGET = { ratio: 0.5, bytes: 200e6 };

await runMain(async () => {
    const { values } = parseArgs({
        options: {
            files: { type: "string", default: "50000" },
            bytes: { type: "string", default: "1000000000" },
            rounds: { type: "string", default: "5" },
            help: { type: "boolean", default: false },
        },
    });
    if (values.help) {
        say(HELP.trimEnd());
        return;
    }
    const size = { files: Number(values.files), bytes: Number(values.bytes) };
    const { bin, env } = await ensureToolchain({ only: [dockerBuild.name], system: false });
    const plugin = bin(dockerBuild.name);
    // Only now are the packages sure to be there.
    const { measureOurs, measureDockerBuild } = await import("./lib/measure.mjs");

    const root = mkdtempSync(join(tmpdir(), "multiarch-bench-"));
    const remove = () => rmSync(root, { recursive: true, force: true });
    for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) {
        process.once(signal, () => {
            remove();
            process.exit(1);
        });
    }
    try {
        await step(`writing ${count(size.files)} files, ${count(size.bytes)} bytes`, () => makeTree(root, size));
        const ours = () => measureOurs(bin("node"), root, env);
        const theirs = () => measureDockerBuild(plugin, root, env);
        // The first time, what is read comes from the disk.
        await ours();
        await theirs();
        /** @type {Measurement[][]} */
        const rounds = [];
        for (let round = 0; round < Number(values.rounds); round++) {
            rounds.push([await ours(), await theirs()]);
        }
        report(rounds);
    } finally {
        remove();
    }
});

/** @param {Measurement[][]} rounds ours and theirs */
function report(rounds) {
    say(`${availableParallelism()} processors (${cpus()[0]?.model}), warm cache, each round in new processes`);
    say("");
    say(row(["", "pulumi-multiarch", `docker-build ${dockerBuild.version}`]));
    for (const [index, round] of rounds.entries()) {
        say(row([`round ${index + 1}`, ...round.map(({ seconds }) => `${seconds.toFixed(2)} s`)]));
    }
    const [ours, theirs] = [0, 1].map((column) => ({
        seconds: median(rounds.map((round) => round[column].seconds)),
        processor: median(rounds.map((round) => round[column].processorSeconds)),
        peak: Math.max(...rounds.map((round) => round[column].peakBytes)),
    }));
    const both = [ours, theirs];
    say(row(["median", ...both.map(({ seconds }) => `${seconds.toFixed(2)} s`)]));
    say(row(["processor time", ...both.map(({ processor }) => `${processor.toFixed(2)} s`)]));
    say(row(["peak memory", ...both.map(({ peak }) => `${Math.round(peak / 1e6)} MB`)]));
    say("");
    const ratio = ours.seconds / theirs.seconds;
    say(`time: ${ratio.toFixed(2)} of docker-build's, ${judge(ratio <= TARGET.ratio)} (at most ${TARGET.ratio})`);
    say(`memory: ${Math.round(ours.peak / 1e6)} MB, ${judge(ours.peak < TARGET.bytes)} (under ${TARGET.bytes / 1e6})`);
}

/** @param {string[]} cells */
function row([name = "", ...cells]) {
    return [name.padEnd(16), ...cells.map((cell) => cell.padStart(22))].join("");
}

/** @param {boolean} met */
function judge(met) {
    return met ? "as wanted" : "not as wanted";
}

/** @param {number[]} values */
function median(values) {
    const sorted = values.toSorted((one, other) => one - other);
    return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
}

/** @param {number} value */
function count(value) {
    return value.toLocaleString("en-US");
}
