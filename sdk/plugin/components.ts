import * as pulumi from "@pulumi/pulumi";

import type { MultiArchImageArgs } from "../args";
import { Ec2BuilderFleet } from "../ec2BuilderFleet";
import { MultiArchImage } from "../multiArchImage";
import { createInputsError } from "../validation/assert";
import { findComponentProblems } from "../validation/component";
import { findFleetProblems } from "../validation/ec2BuilderFleet";
import type { InputProblem } from "../resources/lifecycle";
import { reveal, type Properties } from "../resources/values";

type Constructor = (
    name: string,
    inputs: pulumi.Inputs,
    options: pulumi.ComponentResourceOptions,
) => Promise<pulumi.provider.ConstructResult>;

/** The components of the package, by type token: what every language but TypeScript reaches through the plugin. */
export const components: Readonly<Record<string, Constructor>> = {
    "multiarch:index:MultiArchImage": async (name, inputs, options) => {
        await assertInputs("multiarch:index:MultiArchImage", name, inputs, findComponentProblems);
        // The inputs were checked against the schema, which is made from this very type.
        const image = new MultiArchImage(name, inputs as unknown as MultiArchImageArgs, options);
        const { indexDigest, ref, tagRefs, additionalRefs, exportedFiles } = image;
        const { platformDigests, manifestDigests, attestationDigests, signature, contentHash, builds } = image;
        const refs = { indexDigest, ref, tagRefs, additionalRefs, exportedFiles };
        const digests = { platformDigests, manifestDigests, attestationDigests };
        return { urn: image.urn, state: { ...refs, ...digests, signature, contentHash, builds } };
    },
    "multiarch:index:Ec2BuilderFleet": async (name, inputs, options) => {
        await assertInputs("multiarch:index:Ec2BuilderFleet", name, inputs, findFleetProblems);
        const fleet = new Ec2BuilderFleet(name, inputs, options);
        const { urn, nodes, machines, securityGroupId, keptOnDestroy } = fleet;
        return { urn, state: { nodes, machines, securityGroupId, keptOnDestroy } };
    },
};

/** Throws everything that is wrong, by property. Inputs that are not known yet in a preview are right so far. */
async function assertInputs(
    type: string,
    name: string,
    inputs: pulumi.Inputs,
    findProblems: (inputs: Properties) => InputProblem[],
): Promise<void> {
    const wire = await pulumi.runtime.serializeProperties(name, inputs);
    const problems = findProblems(reveal(wire) as Properties);
    if (problems.length > 0) {
        // Only the text: beside a property path of its own the engine prints the value there, and a list of builders
        // holds private keys that were made secret in the program.
        throw new Error(createInputsError(type, name, problems).message);
    }
}
