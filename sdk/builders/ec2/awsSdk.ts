import type * as ec2 from "@aws-sdk/client-ec2";
import type * as ssm from "@aws-sdk/client-ssm";

import { MultiArchError, type ErrorFields } from "../../errors";

/** The SDK of EC2. */
export type Ec2Sdk = typeof ec2;

/** The SDK of Systems Manager. */
export type SsmSdk = typeof ssm;

/** Whose builder a package is loaded for. */
type Place = Pick<ErrorFields, "platform" | "property">;

/** Loads the SDK of EC2, only for those who use it. */
export async function loadEc2Sdk(place: Place = {}): Promise<Ec2Sdk> {
    try {
        return await import("@aws-sdk/client-ec2");
    } catch (cause) {
        throw missingPackage("@aws-sdk/client-ec2", "builders on EC2 are found", cause, place);
    }
}

/** Loads the SDK of Systems Manager, only for those who use sessions. */
export async function loadSsmSdk(): Promise<SsmSdk> {
    try {
        return await import("@aws-sdk/client-ssm");
    } catch (cause) {
        throw missingPackage("@aws-sdk/client-ssm", "sessions are started", cause);
    }
}

/** What is not installed with this package, and has to be beside it. `purpose` says what is done with it. */
export function missingPackage(name: string, purpose: string, cause: unknown, place: Place = {}): MultiArchError {
    const what = `${purpose} with the package ${name}, which cannot be loaded`;
    return new MultiArchError("builder-ec2-sdk", { what, next: `Run npm install ${name}.`, ...place, cause });
}
