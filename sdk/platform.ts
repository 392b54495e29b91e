import { MultiArchError } from "./errors";

/** What an image runs on, in its normal form. */
export interface Platform {
    readonly os: string;
    readonly architecture: string;
    /** The variant of the architecture. Left out where it is the only one in use, as `v8` for `arm64`. */
    readonly variant?: string | undefined;
}

/**
 * The platforms images are built for, in their normal form. Those of Go that a container can run on.
 * https://go.dev/doc/install/source#environment
 */
export const knownPlatforms: readonly string[] = [
    "linux/386",
    "linux/amd64",
    "linux/amd64/v2",
    "linux/amd64/v3",
    "linux/amd64/v4",
    "linux/arm/v5",
    "linux/arm/v6",
    "linux/arm/v7",
    "linux/arm/v8",
    "linux/arm64",
    "linux/loong64",
    "linux/mips",
    "linux/mips64",
    "linux/mips64le",
    "linux/mipsle",
    "linux/ppc64",
    "linux/ppc64le",
    "linux/riscv64",
    "linux/s390x",
    "windows/386",
    "windows/amd64",
    "windows/arm64",
    "freebsd/386",
    "freebsd/amd64",
    "freebsd/arm64",
    "freebsd/riscv64",
    "darwin/amd64",
    "darwin/arm64",
];

// Names people use for what this package, like containerd, calls otherwise. An alias may carry a variant.
// https://github.com/containerd/platforms/blob/v1.0.0-rc.4/database.go
const architectureAliases: Readonly<Record<string, readonly [architecture: string, variant?: string]>> = {
    i386: ["386"],
    x86_64: ["amd64"],
    "x86-64": ["amd64"],
    aarch64: ["arm64"],
    armhf: ["arm", "v7"],
    armel: ["arm", "v6"],
};
const defaultVariants: Readonly<Record<string, string>> = { amd64: "v1", arm64: "v8" };

/**
 * Reads `os/architecture` or `os/architecture/variant` into its normal form.
 * Throws a MultiArchError `platform-unknown` for what no image is built for, with the nearest one that exists.
 */
export function parsePlatform(text: string): Platform {
    const platform = splitPlatform(text);
    if (platform && knownPlatforms.includes(formatPlatform(platform))) {
        return platform;
    }
    const near = nearestPlatform(text);
    throw new MultiArchError("platform-unknown", {
        what:
            `${JSON.stringify(text)} is not a platform` +
            (near ? `: did you mean ${near}?` : "; write os/architecture, for example linux/amd64"),
    });
}

/** Writes a platform as `os/architecture` with its variant, where it has one. */
export function formatPlatform(platform: Platform): string {
    return [platform.os, platform.architecture, ...(platform.variant ? [platform.variant] : [])].join("/");
}

/** Gives a platform its normal form, the way containerd does: `aarch64` is `arm64`, `arm` is `arm/v7`. */
export function normalisePlatform(platform: Platform): Platform {
    const os = platform.os.toLowerCase();
    const written = platform.architecture.toLowerCase();
    const [architecture, aliasVariant] = architectureAliases[written] ?? [written];
    const variant = normaliseVariant(architecture, aliasVariant ?? platform.variant?.toLowerCase() ?? "");
    return { os: os === "macos" ? "darwin" : os, architecture, ...(variant ? { variant } : {}) };
}

/** True when a builder that offers the one platform can build the other: the same, or an older variant of it. */
export function matchesPlatform(wanted: Platform, offered: Platform): boolean {
    const [a, b] = [normalisePlatform(wanted), normalisePlatform(offered)];
    if (a.os !== b.os || a.architecture !== b.architecture) {
        return false;
    }
    return a.variant === b.variant || (hasOrderedVariants(a) && variantNumber(a) <= variantNumber(b));
}

/**
 * True when a machine of the one platform runs the other without emulation: variants of the same architecture, and
 * the 32-bit form of a 64-bit one. Whether this very machine can do so is for its builder to offer.
 */
export function isNativeOn(wanted: Platform, machine: Platform): boolean {
    const [a, b] = [normalisePlatform(wanted), normalisePlatform(machine)];
    if (a.os !== b.os) {
        return false;
    }
    if (a.architecture === b.architecture) {
        return a.architecture !== "arm" || variantNumber(a) <= variantNumber(b);
    }
    return `${a.architecture} on ${b.architecture}` === "386 on amd64" || isArm32OnArm64(a, b);
}

function isArm32OnArm64(a: Platform, b: Platform): boolean {
    return a.architecture === "arm" && b.architecture === "arm64";
}

function splitPlatform(text: string): Platform | undefined {
    const [os, architecture, variant, ...rest] = text.split("/");
    if (!os || !architecture || variant === "" || rest.length > 0) {
        return undefined;
    }
    return normalisePlatform({ os, architecture, variant });
}

function normaliseVariant(architecture: string, variant: string): string {
    if (architecture === "386") {
        return "";
    }
    if (architecture === "arm" && variant === "") {
        return "v7";
    }
    const full = /^\d+$/.test(variant) ? `v${variant}` : variant;
    return defaultVariants[architecture] === full ? "" : full;
}

function hasOrderedVariants(platform: Platform): boolean {
    return platform.architecture === "amd64" || platform.architecture === "arm";
}

function variantNumber(platform: Platform): number {
    const number = Number(platform.variant?.replace(/^v/, "") ?? 1);
    return Number.isNaN(number) ? Infinity : number;
}

/** The known platform that is nearest to what was written, if any is near. */
function nearestPlatform(text: string): string | undefined {
    const written = text
        .trim()
        .toLowerCase()
        .replace(/[\s_-]+/g, (gap) => (gap === "_" ? "_" : "/"));
    for (const candidate of [written, `linux/${written}`, written.replace("/x86", "/386")]) {
        const platform = splitPlatform(candidate);
        const name = platform && formatPlatform(platform);
        if (name && knownPlatforms.includes(name)) {
            return name;
        }
    }
    const ranked = knownPlatforms
        .map((name) => ({ name, distance: editDistance(written, name) }))
        .sort((a, b) => a.distance - b.distance);
    const best = ranked[0];
    return best && best.distance <= 3 ? best.name : undefined;
}

/** How many letters have to be changed, added, dropped or swapped to turn one text into the other. */
function editDistance(a: string, b: string): number {
    let before: number[] = [];
    let row = Array.from({ length: b.length + 1 }, (_, column) => column);
    for (let line = 1; line <= a.length; line += 1) {
        const next = [line];
        for (let column = 1; column <= b.length; column += 1) {
            const same = a[line - 1] === b[column - 1] ? 0 : 1;
            const swapped = a[line - 1] === b[column - 2] && a[line - 2] === b[column - 1];
            next.push(
                Math.min(
                    (row[column] ?? 0) + 1,
                    (next[column - 1] ?? 0) + 1,
                    (row[column - 1] ?? 0) + same,
                    swapped && line > 1 ? (before[column - 2] ?? 0) + 1 : Infinity,
                ),
            );
        }
        [before, row] = [row, next];
    }
    return row[b.length] ?? 0;
}
