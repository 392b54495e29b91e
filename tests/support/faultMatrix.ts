import type { ErrorCode } from "../../sdk";
import { faultKinds, type FaultKind } from "./faultKinds";
import type { Asker } from "./faultProxy";

/**
 * What comes of one fault: `ok`, it is overcome; `kept`, refresh leaves the state as it is and warns; or the operation
 * fails with this code.
 */
export type Outcome = "ok" | "kept" | ErrorCode;

/** What is going on when the fault comes. */
export const scenarios = {
    push: "a platform is built, pushed by its builder, and checked",
    index: "all images are checked, the index is pushed, two tags move",
    conflict: "tags are looked at before any of them moves (`onTagConflict: fail`)",
    refresh: "an image, an index and its tags are looked up, and all are there",
    "tag gone": "refresh, and somebody has removed a tag",
    "index gone": "refresh, and somebody has deleted the index",
    delete: "destroy with `deletion: untag`",
} as const;

export type Scenario = keyof typeof scenarios;

type Outcomes = Partial<Record<FaultKind, Outcome>>;

/** One request of a scenario, and what comes of each fault there. A kind that is left out is not injected there. */
export interface FaultRow {
    readonly scenario: Scenario;
    readonly asker: Asker;
    readonly request: string;
    readonly outcomes: Outcomes;
}

const passing = { "429": "ok", "500": "ok", slow: "ok", cut: "ok", truncated: "ok" } as const;
const refused = { "401 for good": "registry-unauthorized", "403": "registry-forbidden" } as const;
const absent = { "404": "ok", "404 unknown": "ok" } as const;
const missing = { "404": "registry-not-found", "404 unknown": "registry-not-found" } as const;
const shortened = { shortened: "ok" } as const;
const again = { "401": "ok" } as const;
/** A token that was refused the first time it was used: another one would be as good. */
const firstUse = { "401": "registry-unauthorized" } as const;

const token = { ...refused, ...missing, ...passing, ...shortened };
const write = { ...again, ...refused, ...missing, ...passing };
/** A HEAD that says "not there" is followed by a GET, which says otherwise. */
const head = { ...again, ...refused, ...absent, ...passing };
const get = { ...again, ...refused, ...missing, ...passing, ...shortened };
/** What is written next anyway need not be readable. */
const hidden = { ...head, "403": "ok" } as const;

/** Refresh: what cannot be read changes no state. */
function kept(outcomes: Outcomes): Outcomes {
    return Object.fromEntries(Object.entries(outcomes).map(([kind, one]) => [kind, one === "ok" ? "ok" : "kept"]));
}

/** The builder has no limit of its own for an answer, so it is the build that runs out of time. */
function byBuilder(outcomes: Outcomes): Outcomes {
    return { ...outcomes, slow: "build-timeout" };
}

/** A few kinds, where the rest would only repeat what other rows show: each push costs a build. */
function only(outcomes: Outcomes, ...kinds: FaultKind[]): Outcomes {
    return Object.fromEntries(kinds.map((kind) => [kind, outcomes[kind]]));
}

function rows(scenario: Scenario, asker: Asker, requests: Readonly<Record<string, Outcomes>>): FaultRow[] {
    return Object.entries(requests).map(([request, outcomes]) => ({ scenario, asker, request, outcomes }));
}

/** All steps, in the order in which they are taken. */
export const faultMatrix: readonly FaultRow[] = [
    ...rows("push", "client", {
        "GET /token": only(token, "403", "500", "cut", "shortened"),
        "GET /v2/": only(
            { ...get, ...firstUse, "404": "registry-broken", "404 unknown": "registry-broken" },
            "401",
            "403",
            "404",
            "404 unknown",
            "500",
        ),
        "POST blobs/uploads/": only(write, "401", "403", "404", "429", "cut"),
        // What was only tried out is given up, and the registry forgets it by itself.
        "DELETE blobs/uploads/<upload>": only({ ...write, ...absent, "403": "ok" }, "403", "404", "500", "slow"),
    }),
    ...rows("push", "builder", {
        // Where this is refused, the older way to ask is tried.
        "POST /token": only(
            byBuilder({ ...token, ...absent, "401 for good": "ok" }),
            "401 for good",
            "404",
            "500",
            "slow",
        ),
        "GET /token": byBuilder(token),
        "HEAD blobs/<digest>": byBuilder(head),
        "POST blobs/uploads/": byBuilder(write),
        "PUT blobs/uploads/<upload>": byBuilder(write),
        "HEAD manifests/<digest>": byBuilder(head),
        "PUT manifests/<digest>": byBuilder(write),
    }),
    ...rows("push", "client", {
        "HEAD manifests/<digest>": only(head, "403", "404", "500", "cut"),
        "GET manifests/<digest>": only(get, "404 unknown", "truncated", "shortened"),
        "HEAD blobs/<digest>": only(head, "404 unknown", "429"),
        "GET blobs/<digest>": only(get, "403", "slow", "truncated"),
    }),

    ...rows("index", "client", {
        "GET /token": token,
        "HEAD manifests/<image>": { ...head, ...firstUse },
        "GET manifests/<image>": get,
        "HEAD blobs/<layer>": head,
        "HEAD blobs/<configuration>": head,
        "GET blobs/<configuration>": get,
        "HEAD manifests/<index>": hidden,
        "GET manifests/<index>": { ...hidden, ...shortened },
        "PUT manifests/<index>": write,
        "HEAD manifests/v1": hidden,
        "GET manifests/v1": { ...hidden, ...shortened },
        "PUT manifests/v1": write,
        "HEAD manifests/latest": hidden,
        "PUT manifests/latest": write,
    }),

    ...rows("conflict", "client", {
        "HEAD manifests/v1": head,
        "GET manifests/v1": { ...head, ...shortened },
    }),

    ...rows("refresh", "client", {
        "GET /token": kept(token),
        "HEAD manifests/<image>": kept({ ...head, ...firstUse }),
        "GET manifests/<image>": kept(get),
        "HEAD blobs/<layer>": kept(head),
        "HEAD blobs/<configuration>": kept(head),
        "GET blobs/<configuration>": kept(get),
        "HEAD manifests/<index>": kept({ ...head, ...firstUse }),
        "HEAD manifests/latest": kept(head),
    }),
    // Only an answer that says what is missing counts, and here it is true.
    ...rows("tag gone", "client", {
        "HEAD manifests/v1": kept(head),
        "GET manifests/v1": kept({ ...get, "404 unknown": "ok", shortened: "kept" }),
    }),
    ...rows("index gone", "client", {
        "HEAD manifests/<index>": kept({ ...head, ...firstUse }),
        "GET manifests/<index>": kept({ ...get, "404 unknown": "ok", shortened: "kept" }),
    }),

    ...rows("delete", "client", {
        "GET /token": token,
        "HEAD manifests/latest": { ...head, ...firstUse },
        "GET manifests/<index>": get,
        "DELETE manifests/latest": write,
        "HEAD manifests/<index>": hidden,
    }),
];

/** The table as the docs show it, a list of cells for each line. */
export function describeFaultMatrix(): string[][] {
    const kinds = Object.keys(faultKinds) as FaultKind[];
    const lines = faultMatrix.map(({ scenario, asker, request, outcomes }) => [
        scenario,
        `${asker} \`${request}\``,
        ...kinds.map((kind) => outcomes[kind]?.replace(/^registry-/, "") ?? "-"),
    ]);
    return [["while", "request", ...kinds], ...lines];
}
