import { formatPlatform, normalisePlatform, parsePlatform } from "../platform";
import type { Descriptor } from "../registry/manifests";

/**
 * Picks the manifest of an index that a build for the platform starts from. An image for an older variant, or for the
 * 32-bit form of the platform, will do where there is no better one; then one that names no platform. See `Only` in
 * https://github.com/containerd/platforms/blob/v1.0.0-rc.4/compare.go and `LimitManifests` in
 * https://github.com/containerd/containerd/blob/v2.2.5/core/images/handlers.go
 */
export function chooseManifest(manifests: readonly Descriptor[], platform: string): Descriptor | undefined {
    const names = runnablePlatforms(platform);
    const ranked = manifests.flatMap((manifest) => {
        const rank = rankOf(manifest, names);
        return rank < 0 ? [] : [{ manifest, rank }];
    });
    // Equal ones keep their order.
    return ranked.sort((one, other) => one.rank - other.rank)[0]?.manifest;
}

function rankOf({ platform }: Descriptor, names: readonly string[]): number {
    if (!platform) {
        return names.length;
    }
    // Nobody asks for a feature of the operating system; this one of Windows does not count.
    const features = (platform["os.features"] ?? []).filter((feature) => feature !== "win32k");
    return features.length > 0 ? -1 : names.indexOf(formatPlatform(normalisePlatform(platform)));
}

/** The platforms whose images run on the platform, the best one first. */
function runnablePlatforms(platform: string): string[] {
    const wanted = parsePlatform(platform);
    const { os, architecture, variant } = wanted;
    const older = (name: string, newest: number, oldest: number): string[] =>
        Array.from({ length: Math.max(newest - oldest + 1, 0) }, (_, index) => {
            return formatPlatform(normalisePlatform({ os, architecture: name, variant: `v${newest - index}` }));
        });
    const number = variant === undefined ? 0 : Number(variant.slice(1));
    const others: Readonly<Record<string, () => string[]>> = {
        amd64: () => [...older("amd64", number - 1, 1), `${os}/386`],
        arm: () => older("arm", number - 1, 5),
        arm64: () => older("arm", 8, 5),
    };
    return [formatPlatform(wanted), ...(others[architecture]?.() ?? [])];
}
