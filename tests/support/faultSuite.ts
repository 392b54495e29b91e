import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { proveFault } from "./faultCell";
import type { FaultKind } from "./faultKinds";
import { faultMatrix, scenarios, type Scenario } from "./faultMatrix";
import { createFaultStage, type FaultStage } from "./faultStage";
import { getWorld } from "./world";

/** One test for each step of these scenarios. It injects each kind of fault, every one into a repository of its own. */
export function describeFaults(...names: Scenario[]): void {
    let folder: string | undefined;
    const trusted = process.env["SSL_CERT_FILE"];
    let stage: FaultStage;

    before(async () => {
        const world = await getWorld();
        // A provider that the engine starts has it in its environment.
        process.env["SSL_CERT_FILE"] = world.caFile;
        folder = mkdtempSync(join(tmpdir(), "multiarch-faults-"));
        stage = await createFaultStage(world, folder);
    });
    after(() => {
        if (folder !== undefined) {
            rmSync(folder, { recursive: true, force: true });
        }
        delete process.env["SSL_CERT_FILE"];
        Object.assign(process.env, trusted === undefined ? {} : { SSL_CERT_FILE: trusted });
    });

    for (const name of names) {
        describe(`(${name}: ${scenarios[name]})`, () => {
            for (const row of faultMatrix.filter(({ scenario }) => scenario === name)) {
                const kinds = Object.keys(row.outcomes) as FaultKind[];
                it(`in the ${row.asker}'s ${row.request}: ${kinds.join(", ")}`, async () => {
                    const proofs = kinds.map((kind, position) => proveFault(stage, row, kind, position));
                    const failed = (await Promise.allSettled(proofs)).flatMap((proof, position) =>
                        proof.status === "rejected" ? [`${kinds[position]}: ${String(proof.reason)}`] : [],
                    );
                    assert.deepEqual(failed, []);
                });
            }
        });
    }
}
