import assert from "node:assert/strict";

import { MultiArchError } from "../../sdk";
import type { FaultKind } from "./faultKinds";
import type { FaultRow, Outcome } from "./faultMatrix";
import type { FaultScene, FaultStage } from "./faultStage";

/** The kinds that a second try overcomes. */
const passing: readonly FaultKind[] = ["429", "500", "slow", "cut", "truncated", "shortened"];

/** Long enough for a build on a busy machine, which must not pass for the one that is held up. */
const slowBuildSeconds = 6;

/**
 * Injects one fault into one request, and proves what has to hold afterwards: the outcome is the expected one, `up`
 * without a fault converges, no tag was ever set to less than everything, and every manifest is still there.
 */
export async function proveFault(stage: FaultStage, row: FaultRow, kind: FaultKind, position: number): Promise<void> {
    const { scenario, asker } = row;
    const tags = scenario === "conflict" ? ["v1"] : ["v1", "latest"];
    const options = {
        built: scenario !== "push" ? undefined : position % 2 === 0 ? ("amd64" as const) : ("arm64" as const),
        timeoutSeconds: asker === "builder" && kind === "slow" ? slowBuildSeconds : undefined,
        index: { tags, ...(scenario === "conflict" ? { onTagConflict: "fail" } : {}) },
    };
    await stage.withScene(options, async (scene) => {
        const act = await prepare(scene, row);
        const outcome = await actWithFault(scene, row, kind, act);
        assert.equal(outcome, row.outcomes[kind], scene.run.lines.join("\n"));
        await checkTags(scene, tags);
        await recover(scene, row);
        await checkConverged(scene, tags);
    });
}

/** Brings a scene to where the fault comes. */
async function prepare(scene: FaultScene, { scenario }: FaultRow): Promise<() => Promise<void>> {
    const { run, registry } = scene;
    if (scenario === "push" || scenario === "index" || scenario === "conflict") {
        return () => run.up();
    }
    await run.up();
    if (scenario === "tag gone") {
        await registry.remove("v1");
    }
    if (scenario === "index gone") {
        await registry.remove(String(run.state.get("index")?.outputs["digest"]));
    }
    return () => (scenario === "delete" ? run.destroy() : run.refresh());
}

async function actWithFault(
    { proxy, run }: FaultScene,
    row: FaultRow,
    kind: FaultKind,
    act: () => Promise<void>,
): Promise<Outcome> {
    const before = new Map(run.state);
    const begin = proxy.requests.length;
    const fault = proxy.arm({ asker: row.asker, request: row.request, kind });
    const code = await act().then(() => undefined, codeOf);
    const seen = proxy.requests.slice(begin).filter(({ asker }) => asker === row.asker);
    assert.ok(fault.hasFired(), `there was no ${row.request}: ${JSON.stringify(proxy.requests)}`);
    const after = seen.slice(seen.findIndex((one) => one.fault !== undefined) + 1);
    const repeated = after.some(({ request }) => request === row.request);
    const isKept = run.lines.some((line) => line.startsWith("not refreshed"));
    const outcome = code ?? (isKept ? "kept" : "ok");

    if (row.asker === "client" && outcome !== "ok" && row.request !== "GET /token") {
        assert.ok(!repeated, `${kind} is final, and ${row.request} was sent again`);
    }
    if (outcome === "ok" && passing.includes(kind) && row.asker === "client" && !harmless(row, kind)) {
        assert.ok(repeated, `${row.request} was not sent again after ${kind}`);
    }
    if (outcome === "kept") {
        assert.deepEqual(run.state, before, "what cannot be read changes no state");
    } else if (row.scenario === "tag gone") {
        assert.equal((run.state.get("index")?.outputs["tagDigests"] as Record<string, string>)["v1"], "");
    } else if (row.scenario === "index gone") {
        assert.ok(!run.state.has("index"));
    } else if (row.scenario === "refresh") {
        assert.deepEqual(run.state, before, "nothing is lost that is there");
    }
    return outcome;
}

/** Half of an answer that nobody reads, or that is an error anyway, is no fault. */
function harmless({ request, scenario }: FaultRow, kind: FaultKind): boolean {
    const isError = /^GET manifests\/(?:v1|<index>)$/.test(request) && scenario !== "delete";
    return kind === "shortened" && (request === "GET /v2/" || isError);
}

function codeOf(error: unknown): Outcome {
    assert.ok(error instanceof MultiArchError, `not one of ours: ${String(error)}`);
    return error.code;
}

/** A tag is where it was, or where it is to be. */
async function checkTags({ run, registry, oldIndex, proxy }: FaultScene, tags: string[]): Promise<void> {
    assert.deepEqual(proxy.violations, []);
    const digest = run.state.get("index")?.outputs["digest"];
    for (const tag of tags) {
        const found = await registry.digestOf(tag);
        const known = found === undefined || found === oldIndex || found === digest || proxy.stored.has(found);
        assert.ok(known, `${tag} points to ${found}`);
    }
}

async function recover({ run, registry }: FaultScene, { scenario }: FaultRow): Promise<void> {
    if (scenario === "delete") {
        await run.destroy();
        assert.deepEqual(await registry.tags(), ["example"], "the tags of the stack are gone");
    } else if (scenario === "tag gone" || scenario === "index gone") {
        await run.refresh();
    }
    await run.up();
}

async function checkConverged(scene: FaultScene, tags: string[]): Promise<void> {
    const { proxy, run, registry, oldIndex } = scene;
    const { digest, platformDigests } = run.state.get("index")?.outputs ?? {};
    for (const tag of tags) {
        assert.equal(await registry.digestOf(tag), digest);
    }
    const children = await registry.childrenOf(String(digest));
    assert.deepEqual(children, Object.values(platformDigests as Record<string, string>));
    const requests = proxy.requests.length;
    await run.up();
    assert.equal(proxy.requests.length, requests, "nothing is left to do");
    assert.deepEqual(proxy.violations, []);
    const there = registry.pushedManifests();
    assert.deepEqual(
        [...proxy.stored, oldIndex].filter((stored) => !there.includes(stored)),
        [],
        "no manifest was deleted",
    );
}
