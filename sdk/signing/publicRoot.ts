import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { TrustedRoot } from "@sigstore/protobuf-specs";

import { MultiArchError } from "../errors";
import { untilAborted } from "./untilAborted";

const limits = { timeout: 15_000, retry: { retries: 2 } };

/**
 * Fetches the keys and certificates of sigstore's public instances, through The Update Framework: what arrives was signed
 * by its root keys, which the library carries. Nothing of it stays on this machine.
 *
 * Throws a MultiArchError `trusted-root-unreachable`, or `build-cancelled`.
 */
export async function fetchPublicRoot(signal: AbortSignal, mirrorURL?: string): Promise<TrustedRoot> {
    const { getTrustedRoot } = await import("@sigstore/tuf");
    const cachePath = await mkdtemp(join(tmpdir(), "multiarch-trust-"));
    try {
        const options = { ...limits, cachePath, ...(mirrorURL === undefined ? {} : { mirrorURL }) };
        return await untilAborted(getTrustedRoot(options), signal);
    } catch (error) {
        if (error instanceof MultiArchError) {
            throw error;
        }
        const what = "the keys of sigstore's public instances could not be fetched";
        throw new MultiArchError("trusted-root-unreachable", { what, cause: error });
    } finally {
        await rm(cachePath, { recursive: true, force: true });
    }
}
