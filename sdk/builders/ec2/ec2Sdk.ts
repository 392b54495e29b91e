import type * as sdk from "@aws-sdk/client-ec2";

import { MultiArchError, type ErrorFields } from "../../errors";

/** The SDK of EC2. */
export type Ec2Sdk = typeof sdk;

/** Loads it, only for those who use it: it is not installed with this package. `place` says whose builder it is for. */
export async function loadEc2Sdk(place: Pick<ErrorFields, "platform" | "property"> = {}): Promise<Ec2Sdk> {
    try {
        return await import("@aws-sdk/client-ec2");
    } catch (cause) {
        const what = "builders on EC2 are found with the package @aws-sdk/client-ec2, which is not installed";
        throw new MultiArchError("builder-ec2-sdk", { what, ...place, cause });
    }
}
