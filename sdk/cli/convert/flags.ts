import { convertAttestations } from "./attestations";
import type { Draft } from "./build";
import { convertBuildArgs } from "./buildArgs";
import { convertContext, convertSecrets, convertSsh } from "./buildFiles";
import {
    convertAllow,
    convertAnnotations,
    convertCall,
    convertHosts,
    convertNetwork,
    convertNoCache,
    convertNoCacheFilters,
    convertPairs,
    convertPlatforms,
    convertResources,
    convertSwitch,
    convertText,
    convertUlimits,
    olderResources,
} from "./buildOptions";
import { convertCache } from "./cacheOptions";
import { convertDestination } from "./destination";

/** What becomes of an option of `docker buildx build`. */
export type Outcome =
    /** It becomes an input, or part of one. `note` says what is different. */
    | { readonly input: string; readonly convert: (draft: Draft) => void; readonly note?: string }
    /** It cannot be carried over, for a reason that says what to do instead. */
    | { readonly refused: string; readonly convert?: (draft: Draft) => void }
    /** It changes nothing about the image, for a reason that becomes a comment, unless it is a matter of display. */
    | { readonly dropped: string; readonly silent?: boolean };

/** One option of `docker buildx build`. */
export interface BuildFlag {
    /** Its long name, without dashes. */
    readonly name: string;
    /** Its letter, where it has one. */
    readonly short?: string;
    /** A switch needs no value; others have one, and those with `texts` may be repeated. */
    readonly takes: "switch" | "text" | "texts";
    /** The attribute of a target in a bake file, where it has one. */
    readonly bake?: string;
    /** True for one that `--help` does not show. */
    readonly hidden?: boolean;
    readonly outcome: Outcome;
}

// Letters of options that --help does not show.
const letters: Readonly<Record<string, More>> = { memory: { short: "m" }, "cpu-shares": { short: "c" } };

/** Every option of `docker buildx build`, as of buildx 0.35, in the order of its `--help`. */
export const buildFlags: readonly BuildFlag[] = [
    texts("add-host", { input: "addHosts", convert: convertHosts }, { bake: "extra-hosts" }),
    texts("allow", { input: "allow", convert: convertAllow }, { bake: "entitlements" }),
    texts("annotation", { input: "annotations", convert: convertAnnotations }, { bake: "annotations" }),
    texts("attest", { input: "attestations", convert: convertAttestations }, { bake: "attest" }),
    texts(
        "build-arg",
        {
            input: "buildArgs",
            convert: convertBuildArgs,
            note: "`SOURCE_DATE_EPOCH` becomes `sourceDateEpoch`, `BUILDKIT_INLINE_CACHE` becomes `cache.inline`",
        },
        { bake: "args" },
    ),
    texts("build-context", { input: "context.named", convert: convertContext }, { bake: "contexts" }),
    texts(
        "cache-from",
        {
            input: "cache",
            convert: convertCache,
            note: "one that is written, more that are read, with a scope for each platform",
        },
        { bake: "cache-from" },
    ),
    texts("cache-to", { input: "cache", convert: convertCache }, { bake: "cache-to" }),
    text("call", { refused: "it asks about a Dockerfile and makes no image", convert: convertCall }, { bake: "call" }),
    text("cgroup-parent", { input: "cgroupParent", convert: convertText("cgroup-parent", "cgroupParent") }),
    toggle("check", { refused: "it checks a Dockerfile and makes no image", convert: convertCall }),
    text("file", { input: "dockerfile.location", convert: convertContext }, { short: "f", bake: "dockerfile" }),
    text("iidfile", {
        refused: "writes a file that others read. Read a stack output instead: pulumi stack output indexDigest",
    }),
    texts("label", { input: "labels", convert: convertPairs("label", "labels") }, { bake: "labels" }),
    toggle("load", {
        refused: "it puts the image into the docker of one machine; push it, and pull its ref there",
        convert: convertDestination,
    }),
    text("metadata-file", {
        refused: "writes a file that others read. Read stack outputs instead: indexDigest, platformDigests, builds",
    }),
    text("network", { input: "network", convert: convertNetwork }, { bake: "network" }),
    toggle("no-cache", { input: "noCache", convert: convertNoCache }, { bake: "no-cache" }),
    texts("no-cache-filter", { input: "noCacheFilters", convert: convertNoCacheFilters }, { bake: "no-cache-filter" }),
    texts(
        "output",
        {
            input: "push, exports, compression, compressionLevel, forceCompression",
            convert: convertDestination,
            note: "files (`oci`, `docker`, `tar`, `local`) are made of what was pushed",
        },
        { short: "o", bake: "output" },
    ),
    texts("platform", { input: "platforms", convert: convertPlatforms }, { bake: "platforms" }),
    texts(
        "policy",
        { refused: "checks sources by a policy of buildx, which no input hands on. Check them in the pipeline" },
        { bake: "policy" },
    ),
    text("progress", { dropped: "Progress is shown on the rows of the engine.", silent: true }),
    text("provenance", { input: "attestations.provenance", convert: convertAttestations }),
    toggle("pull", { input: "pull", convert: convertSwitch("pull", "pull") }, { bake: "pull" }),
    toggle("push", { input: "push", convert: convertDestination }),
    toggle("quiet", { dropped: "What is printed is up to the engine.", silent: true }, { short: "q" }),
    texts("resource", { input: "resources", convert: convertResources }, { bake: "resources" }),
    text("sbom", { input: "attestations.sbom", convert: convertAttestations }),
    texts(
        "secret",
        { input: "secrets, secretFiles", convert: convertSecrets, note: "variables become secrets of the stack" },
        { bake: "secret" },
    ),
    text("shm-size", { input: "shmSize", convert: convertText("shm-size", "shmSize") }, { bake: "shm-size" }),
    texts("ssh", { input: "ssh", convert: convertSsh }, { bake: "ssh" }),
    texts(
        "tag",
        { input: "repository, tags, additionalRepositories", convert: convertDestination },
        { short: "t", bake: "tags" },
    ),
    text("target", { input: "target", convert: convertText("target", "target") }, { bake: "target" }),
    texts("ulimit", { input: "ulimits", convert: convertUlimits }, { bake: "ulimits" }),
    text("builder", {
        input: "builders",
        convert: () => undefined,
        note: "`builders.named`, which needs that builder on the machine; without one, endpoints to fill in",
    }),
    toggle("debug", { dropped: "It is about what buildx prints.", silent: true }, { short: "D" }),
    toggle("help", { refused: "asks buildx for help and builds nothing" }, { short: "h" }),
    text("print", { refused: "is the older name of --call", convert: convertCall }, { hidden: true }),
    ...olderResources.map((name) =>
        text(name, { input: `resources["${name}"]`, convert: convertResources }, { hidden: true, ...letters[name] }),
    ),
    toggle("compress", { dropped: "compress has no effect in buildx either." }, { hidden: true }),
    text("isolation", { dropped: "isolation has no effect in buildx either." }, { hidden: true }),
    texts("security-opt", { dropped: "security-opt has no effect in buildx either." }, { hidden: true }),
    toggle("squash", { dropped: "squash has no effect in buildx either." }, { hidden: true }),
    toggle("rm", { dropped: "rm has no effect in buildx either.", silent: true }, { hidden: true }),
    toggle("force-rm", { dropped: "force-rm has no effect in buildx either.", silent: true }, { hidden: true }),
];

type More = Pick<BuildFlag, "bake" | "hidden" | "short">;

function text(name: string, outcome: Outcome, more: More = {}): BuildFlag {
    return { name, takes: "text", outcome, ...more };
}

function texts(name: string, outcome: Outcome, more: More = {}): BuildFlag {
    return { name, takes: "texts", outcome, ...more };
}

function toggle(name: string, outcome: Outcome, more: More = {}): BuildFlag {
    return { name, takes: "switch", outcome, ...more };
}
