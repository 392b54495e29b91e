// Hashes the folder in the first argument and prints what that took. A process of its own, so that nothing is warm.

import { createRequire } from "node:module";
import { readPeak } from "./peak.mjs";

const { hashContext } = createRequire(import.meta.url)("../../dist/context/hash.js");
const location = process.argv[2];

const processorBefore = process.cpuUsage();
const started = performance.now();
await hashContext({ context: { location } });
const seconds = (performance.now() - started) / 1000;
const { user, system } = process.cpuUsage(processorBefore);
process.stdout.write(JSON.stringify({ seconds, processorSeconds: (user + system) / 1e6, peakBytes: readPeak("self") }));
