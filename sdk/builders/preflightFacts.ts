import * as semver from "semver";
import { MultiArchError } from "../errors";
import { formatPlatform, isNativeOn, matchesPlatform, parsePlatform, type Platform } from "../platform";
import type { BuilderNode } from "./node";
import { builderError } from "./preflightBudget";
import type { CertificateDates } from "./preflightCertificates";
import type { ControlAnswer } from "./preflightControl";

/** The oldest BuildKit that is used: older ones let a build escape its limits (CVE-2026-33747, CVE-2026-33748). */
export const oldestBuildKit = "0.28.1";

/** The label a worker carries whose machine is emulated as a whole, so that its first platform is not the machine's. */
export const emulatedLabel = "dev.pulumi-multiarch.emulated";

/** What a builder says of itself, found fit for its platform. */
export interface BuilderFacts {
    /** The version of BuildKit there, as it says it. Empty when it does not say. */
    readonly version: string;
    /** The worker that will build. */
    readonly workerId: string;
    /** Of a builder of the user's own buildx: the one of its nodes that this is about. */
    readonly member?: string | undefined;
    /** The platforms it offers, the one of its machine first. */
    readonly platforms: readonly string[];
    /** What else it says of itself. */
    readonly labels: Readonly<Record<string, string>>;
    /** True when it runs the wanted platform without emulation. */
    readonly native: boolean;
    /** When the certificates end; undefined without TLS. */
    readonly certificates?: CertificateDates | undefined;
    /** What the user may want to know, though it stops nothing. */
    readonly notes: readonly string[];
}

/**
 * Judges what a builder says of itself. Throws a MultiArchError when its version is too old, when it does not have the
 * platform, or when it would have to emulate it and may not.
 */
export function judgeBuilder(node: BuilderNode, answer: ControlAnswer): BuilderFacts {
    const notes = judgeVersion(node, answer.version);
    // Like BuildKit itself: only the first worker builds.
    const worker = answer.workers[0];
    if (!worker) {
        throw builderError(node, "builder-unhealthy", "the builder has no worker to build with");
    }
    const wanted = parsePlatform(node.platform);
    const offered = worker.platforms.map(formatPlatform);
    if (!worker.platforms.some((platform) => matchesPlatform(wanted, platform))) {
        const what = `the builder does not have ${node.platform}: it offers ${offered.join(", ") || "no platform"}`;
        throw builderError(node, "builder-wrong-platform", what, {
            field: node.docker || node.named ? "platforms" : "platform",
        });
    }
    const machine = worker.platforms[0];
    const labelled = worker.labels[emulatedLabel] === "true";
    const native = machine !== undefined && isNativeOn(wanted, machine) && !labelled;
    if (!native && node.emulation === "never") {
        throw builderError(node, "builder-emulated", describeEmulation(node, machine, labelled));
    }
    return {
        version: answer.version ?? "",
        workerId: worker.id,
        platforms: offered,
        labels: worker.labels,
        native,
        notes: native ? notes : [...notes, `builds ${node.platform} by emulation, which can be many times slower`],
    };
}

/** Says whether a version will do. Gives notes; throws `builder-too-old`. */
function judgeVersion(node: BuilderNode, version: string | undefined): string[] {
    if (version === undefined) {
        throw tooOld(node, "the builder is too old to say its version");
    }
    const known = semver.coerce(version);
    if (!known || semver.eq(known, "0.0.0")) {
        return [`runs a BuildKit without a version (${version || "it says none"}): its age is not checked`];
    }
    if (semver.lt(known, oldestBuildKit)) {
        throw tooOld(node, `the builder runs BuildKit ${version}`);
    }
    return [];
}

function tooOld(node: BuilderNode, what: string): MultiArchError {
    return builderError(node, "builder-too-old", what, {
        next: `Upgrade buildkitd to ${oldestBuildKit} or newer: older ones are open to CVE-2026-33747 and CVE-2026-33748.`,
    });
}

function describeEmulation(node: BuilderNode, machine: Platform | undefined, labelled: boolean): string {
    const reason = labelled ? "is emulated as a whole" : `is ${machine ? formatPlatform(machine) : "unknown"}`;
    return `the builder would have to emulate ${node.platform}: its machine ${reason}`;
}
