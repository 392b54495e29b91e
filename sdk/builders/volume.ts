import { MultiArchError } from "../errors";

const units: Readonly<Record<string, number>> = {
    "": 1,
    MB: 1e6,
    GB: 1e9,
    TB: 1e12,
    MiB: 2 ** 20,
    GiB: 2 ** 30,
    TiB: 2 ** 40,
};

/** The smallest volume that leaves a build room to work in, in bytes. */
export const smallestVolume = 10 * 2 ** 30;

/** How the space of a volume is shared out, in MiB. */
export interface DiskBudget {
    /** What the cache may take up for good. */
    readonly maxUsed: number;
    /** What has to stay free, whoever uses the volume. */
    readonly minFree: number;
    /** What the cache keeps, however full the volume is. */
    readonly reserved: number;
}

/** Reads a size such as `200GiB` or `500GB`, in bytes. Throws a MultiArchError `input-invalid` for anything else. */
export function parseSize(text: string): number {
    const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text.trim()) ?? [];
    const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
    if (digits === "" || factor === undefined) {
        throw new MultiArchError("input-invalid", {
            what: `${JSON.stringify(text)} is no size; write it as 200GiB or 500GB`,
        });
    }
    return Math.floor(Number(digits) * factor);
}

/**
 * Shares out a volume that belongs to BuildKit alone. Garbage is collected after a build and never during one, so what
 * builds write meanwhile needs room between what the cache may keep and what has to stay free.
 */
export function shareOut(volumeBytes: number): DiskBudget {
    if (!Number.isFinite(volumeBytes) || volumeBytes < smallestVolume) {
        throw new MultiArchError("input-invalid", { what: "the volume has to have 10 GiB or more" });
    }
    const part = (share: number): number => Math.floor((volumeBytes * share) / 2 ** 20);
    return { maxUsed: part(0.75), minFree: part(0.15), reserved: part(0.1) };
}
