import type * as pulumi from "@pulumi/pulumi";

import type { PlatformImageArgs } from "./platformImage";

/** The inputs of a `PlatformImage` as they are in the state: plain, and with the hash that `check` adds. */
export type PlatformImageInputs = pulumi.Unwrap<PlatformImageArgs> & { readonly contentHash: string };
