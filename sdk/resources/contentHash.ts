import { createHash } from "node:crypto";

import type * as pulumi from "@pulumi/pulumi";

import { hashContext } from "../context/hash";
import type { PlatformImageArgs } from "./platformImage";
import { hasUnknown, unknownValue, type Properties } from "./values";

/** The inputs that can change an image. All others, such as builders, caches and accounts, never build it again. */
export const imageInputs = ["platform", "context", "dockerfile", "target", "buildArgs"] as const;

/**
 * Stands for everything that can change the image of one platform: what a builder would be sent, and the inputs above.
 * Where files are does not count, only what they are. Secrets do not count: a token that rotates would build each time.
 */
export async function hashContent(inputs: Properties, signal: AbortSignal): Promise<string> {
    if (imageInputs.some((name) => hasUnknown(inputs[name]))) {
        return unknownValue;
    }
    const { platform, context, dockerfile, target, buildArgs } = inputs as unknown as pulumi.Unwrap<PlatformImageArgs>;
    const { digest } = await hashContext({
        context: context ?? { location: "." },
        ...(dockerfile === undefined ? {} : { dockerfile }),
        signal,
    });
    const sortedArgs = Object.entries(buildArgs ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
    const document = JSON.stringify(["multiarch content 1", platform, digest, target ?? "", sortedArgs]);
    return `sha256:${createHash("sha256").update(document).digest("hex")}`;
}
