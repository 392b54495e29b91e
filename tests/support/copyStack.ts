import { ImageCopy, type ImageCopyArgs } from "../../sdk";
import { pushExample, type PushedExample } from "./pushedExample";
import { viewRegistry, type RegistryView } from "./registryView";
import { createStack, type TestStack } from "./stack";
import { getWorld, type RegistryPlace, type World } from "./world";

/** A stack with one copy, from the registry of the world to another one, new for each test. */
export interface CopyStack extends TestStack {
    readonly world: World;
    readonly other: RegistryPlace;
    /** The source: an index with attestations under the tag `v1`. */
    readonly source: string;
    readonly pushed: PushedExample;
    readonly sourceView: RegistryView;
    /** The place of the copy. */
    readonly repository: string;
    readonly view: RegistryView;
    /** Inputs that a test changes between two runs of `up`. By default the source is named by its digest. */
    args: Partial<ImageCopyArgs>;
}

let other: Promise<RegistryPlace> | undefined;

/** A second registry, started once for all tests of the run. */
export async function getOtherRegistry(): Promise<RegistryPlace> {
    const world = await getWorld();
    other ??= world.startRegistry();
    return other;
}

/** The accounts for registries, as a program gives them. */
export function accountsFor(...places: readonly RegistryPlace[]) {
    return places.map(({ registry, username, password }) => ({ address: registry, username, password }));
}

/** Gives each test of a suite a source, a place for the copy, and a stack of its own. */
export function useCopyStack(): CopyStack {
    // Filled before each test, so that a test reads it like a constant.
    const current = {} as CopyStack;
    beforeEach(async () => {
        const world = await getWorld();
        const place = await getOtherRegistry();
        const source = world.newRepository();
        const pushed = await pushExample(world, source, "v1");
        const repository = world.newRepository(place);
        const stack = await createStack(world, () => {
            const copy = new ImageCopy("copy", {
                source: `${source}@${pushed.index}`,
                repository,
                registries: accountsFor(world, place),
                ...current.args,
            });
            const { digest, ref, tagRefs, platformDigests } = copy;
            return Promise.resolve({ digest, ref, tagRefs, platformDigests });
        });
        const views = { sourceView: viewRegistry(world), view: viewRegistry(place) };
        Object.assign(current, { ...stack, ...views, world, other: place, source, pushed, repository, args: {} });
    });
    afterEach(() => current.remove());
    return current;
}
