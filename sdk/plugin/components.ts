import * as pulumi from "@pulumi/pulumi";

import type { MultiArchImageArgs } from "../args";
import { MultiArchImage } from "../multiArchImage";
import { createInputsError } from "../validation/assert";
import { findComponentProblems } from "../validation/component";
import { reveal, type Properties } from "../resources/values";

type Constructor = (
    name: string,
    inputs: pulumi.Inputs,
    options: pulumi.ComponentResourceOptions,
) => Promise<pulumi.provider.ConstructResult>;

/** The components of the package, by type token: what every language but TypeScript reaches through the plugin. */
export const components: Readonly<Record<string, Constructor>> = {
    "multiarch:index:MultiArchImage": async (name, inputs, options) => {
        await assertInputs(name, inputs);
        // The inputs were checked against the schema, which is made from this very type.
        const image = new MultiArchImage(name, inputs as unknown as MultiArchImageArgs, options);
        const { indexDigest, ref, tagRefs, additionalRefs, exportedFiles } = image;
        const { platformDigests, manifestDigests, attestationDigests, signature, contentHash, builds } = image;
        const refs = { indexDigest, ref, tagRefs, additionalRefs, exportedFiles };
        const digests = { platformDigests, manifestDigests, attestationDigests };
        return { urn: image.urn, state: { ...refs, ...digests, signature, contentHash, builds } };
    },
};

/** Throws everything that is wrong, by property. Inputs that are not known yet in a preview are right so far. */
async function assertInputs(name: string, inputs: pulumi.Inputs): Promise<void> {
    const wire = await pulumi.runtime.serializeProperties(name, inputs);
    const problems = findComponentProblems(reveal(wire) as Properties);
    if (problems.length > 0) {
        // Only the text: beside a property path of its own the engine prints the value there, and a list of builders
        // holds private keys that were made secret in the program.
        throw new Error(createInputsError(name, problems).message);
    }
}
