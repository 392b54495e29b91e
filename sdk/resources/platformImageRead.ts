import { MultiArchError } from "../errors";
import { formatPlatform, parsePlatform } from "../platform";
import { verifyImage } from "../registry/verify";
import type { OperationContext, ResourceState } from "./lifecycle";
import { describeImage, notBuilt } from "./platformImageBuild";
import type { PlatformImageInputs } from "./platformImageInputs";
import { readOrKeep, withImported, withRegistry } from "./registryAccess";
import type { Properties } from "./values";

interface State {
    readonly inputs: Properties;
    readonly outputs: Properties;
}

/**
 * Looks the image of one platform up. One that is gone, or that lacks its configuration or a layer, is taken out of the
 * state, so that the next `up` builds it: a builder pushes only what is missing.
 */
export function readPlatformImage(
    id: string,
    state: State,
    context: OperationContext,
): Promise<ResourceState | undefined> {
    if (state.inputs["repository"] === undefined || state.outputs["digest"] === undefined) {
        return importImage(id, context);
    }
    const inputs = state.inputs as PlatformImageInputs;
    if (inputs.push === false) {
        return Promise.resolve({ id, outputs: state.outputs });
    }
    const digest = state.outputs["digest"] as string;
    return readOrKeep({ id, outputs: state.outputs }, context, async () => {
        const found = await withRegistry(inputs, context, (client, where) =>
            verifyImage(client, where, digest, parsePlatform(inputs.platform)),
        );
        if (found.complete) {
            return { id, outputs: state.outputs };
        }
        const problem = found.problems[0]?.text ?? "it is not there";
        context.reporter.warn(`${inputs.repository}@${digest} is lost (${problem}). The next up builds it again.`);
        return undefined;
    });
}

/** Takes an image into the state that something else has built: its id is `repository@digest`, or a tag. */
async function importImage(id: string, context: OperationContext): Promise<ResourceState | undefined> {
    return withImported(id, context, async (client, where, { repository, digest }) => {
        const { manifest } = await client.getManifest({ ...where, digest });
        if (manifest.kind !== "image") {
            throw new MultiArchError("import-not-image", { what: `${id} is not the image of one platform` });
        }
        const config = (await client.getBlobJson(where, manifest.config.digest)) as Record<string, string>;
        const platform = formatPlatform({
            os: config["os"] ?? "",
            architecture: config["architecture"] ?? "",
            ...(config["variant"] === undefined ? {} : { variant: config["variant"] }),
        });
        const verified = await verifyImage(client, where, digest, parsePlatform(platform));
        if (!verified.complete) {
            return undefined;
        }
        const inputs = { platform, repository, nodes: [], contentHash: "" };
        const outputs = describeImage(inputs, digest, verified, notBuilt);
        return { id: `${repository}#${platform}`, inputs, outputs };
    });
}
