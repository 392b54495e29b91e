import type { OutputMap } from "@pulumi/pulumi/automation";

import { MultiArchImage, type MultiArchImageArgs } from "../../sdk";
import { imageArgs } from "./images";
import { viewRegistry, type RegistryView } from "./registryView";
import { createStack, type TestStack } from "./stack";
import { getWorld, type World } from "./world";

/** A stack with one image, new for each test. */
export interface ImageStack extends TestStack {
    readonly world: World;
    readonly view: RegistryView;
    /** Where the image is pushed: a repository that no other test uses. */
    repository: string;
    /** Inputs beside those every image of the tests has. A test changes them between two runs of `up`. */
    args: Partial<MultiArchImageArgs>;
}

/** Gives each test of a suite a stack of its own, and takes it away afterwards, also when the test failed. */
export function useImageStack(createArgs: (world: World) => Partial<MultiArchImageArgs> = () => ({})): ImageStack {
    // Filled before each test, so that a test reads it like a constant.
    const current = {} as ImageStack;
    before(async () => {
        await getWorld();
    });
    beforeEach(async () => {
        const world = await getWorld();
        Object.assign(current, await createImageStack(world, createArgs(world), current));
    });
    afterEach(() => current.remove());
    return current;
}

/** A stack with one image. Its program reads repository and inputs from `source` each time it runs. */
export async function createImageStack(
    world: World,
    args: Partial<MultiArchImageArgs>,
    source: Pick<ImageStack, "repository" | "args"> = { repository: world.newRepository(), args },
): Promise<ImageStack> {
    Object.assign(source, { repository: world.newRepository(), args });
    const stack = await createStack(world, () => {
        const image = new MultiArchImage("app", { ...imageArgs(world, source.repository), ...source.args });
        const { indexDigest, ref, tagRefs, additionalRefs, exportedFiles } = image;
        const { platformDigests, manifestDigests, signature, contentHash, builds } = image;
        const refs = { indexDigest, ref, tagRefs, additionalRefs, exportedFiles };
        return Promise.resolve({
            ...refs,
            platformDigests,
            manifestDigests,
            signature,
            contentHash,
            builds,
        } as unknown as OutputMap);
    });
    return Object.assign(source, { ...stack, world, view: viewRegistry(world) });
}
