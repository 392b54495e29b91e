import type * as pulumi from "@pulumi/pulumi";

import type { BuildersArgs } from "../args";
import type { NodeArgs } from "../resources/platformImage";

/** The builders a program lists by their addresses, each with the place where it is written. */
export function listNodes(builders: pulumi.Unwrap<BuildersArgs>): pulumi.Unwrap<NodeArgs>[] {
    return (builders.endpoints ?? []).map((endpoint, index) => ({
        ...endpoint,
        property: `builders.endpoints[${index}]`,
    }));
}
