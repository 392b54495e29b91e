import type * as aws from "@pulumi/aws";

import { missingPackage } from "./awsSdk";

/** The package of the provider, of which only the types are loaded otherwise: few programs have a fleet, and it is large. */
export type AwsPackage = typeof aws;

/** Loads `@pulumi/aws`. It is not installed with this package. */
export function loadAwsPackage(): AwsPackage {
    try {
        // eslint-disable-next-line @typescript-eslint/no-require-imports -- a constructor cannot wait for an import
        return require("@pulumi/aws") as AwsPackage;
    } catch (cause) {
        throw missingPackage("@pulumi/aws", "builders on EC2 are made", cause);
    }
}
