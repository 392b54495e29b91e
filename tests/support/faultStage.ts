import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";

import { buildIndex } from "../../sdk/registry/manifests";
import type { Properties } from "../../sdk/resources/values";
import { startFaultProxy, type FaultProxy } from "./faultProxy";
import { writeContext } from "./images";
import { createLifecycleRun, type DeclaredResource, type LifecycleRun } from "./lifecycleRun";
import { pushExample } from "./pushedExample";
import { viewRegistry, type IndexDocument, type RegistryView } from "./registryView";
import type { Architecture, RegistryPlace, World } from "./world";

/** Where one fault is injected: a repository of its own, behind a proxy of its own. */
export interface FaultScene {
    readonly proxy: FaultProxy;
    readonly run: LifecycleRun;
    /** The repository, as it is past the proxy. */
    readonly registry: SceneRegistry;
    /** The index that `latest` points to in the beginning. */
    readonly oldIndex: string;
}

/** The repository of a scene, past everything that may go wrong. One curl for each look would cost more than the scene. */
export interface SceneRegistry {
    /** What a tag points to; undefined when it is not there. */
    digestOf(tag: string): Promise<string | undefined>;
    tags(): Promise<string[]>;
    /** The digests that an index lists. */
    childrenOf(digest: string): Promise<string[]>;
    /** Removes a tag or deletes a manifest, as somebody else would. */
    remove(name: string): Promise<void>;
    /** All manifests, with a tag or without. */
    pushedManifests(): string[];
}

/** What a scene is made of. */
export interface SceneOptions {
    /** The platform that is built and pushed by its builder. The others are there. By default none is built. */
    readonly built?: Architecture | undefined;
    readonly timeoutSeconds?: number | undefined;
    readonly index?: Properties | undefined;
}

/** Makes scenes. */
export interface FaultStage {
    /** Makes a scene, lends it, and takes it away. */
    withScene<T>(options: SceneOptions, act: (scene: FaultScene) => Promise<T>): Promise<T>;
}

interface Image {
    readonly digest: string;
    readonly mediaType: string;
    readonly size: number;
    readonly platform: { readonly architecture: string; readonly os: string };
}

/** Sets the stage in a world. Images that need no builder are pushed once, and each scene gets a copy of them. */
export async function createFaultStage(world: World, folder: string): Promise<FaultStage> {
    const behind = await world.startRegistry({ open: true });
    const view = viewRegistry(behind);
    const template = world.newRepository(behind);
    const { index: oldIndex } = await pushExample(behind, template, "latest", "old");
    await pushExample(behind, template, "example", "new");
    const { manifests } = await view.manifest(`${template}:example`);
    const images = (manifests as readonly Image[]).filter(({ platform }) => platform.os === "linux");
    const names = new Map([[buildIndex(images).digest, "index"]]);
    for (const { digest, platform } of images) {
        const { config, layers = [] } = await view.manifest(`${template}@${digest}`);
        const other = platform.architecture === "amd64" ? "" : "other ";
        names.set(digest, `${other}image`);
        names.set(config?.digest ?? "", `${other}configuration`).set(layers[0]?.digest ?? "", `${other}layer`);
    }
    const free = [...world.doubles.addresses];

    const inputsOf = (proxy: FaultProxy, repository: string, options: SceneOptions): DeclaredResource[] => {
        const { registry: address, username, password } = proxy;
        const common = { repository, registries: [{ address, username, password }] };
        const app = join(folder, repository.replace(/.*\//, ""));
        const platforms = (["amd64", "arm64"] as const).map((architecture): DeclaredResource => {
            const isBuilt = options.built === architecture;
            return {
                name: architecture,
                kind: "PlatformImage",
                isFinished: !isBuilt,
                inputs: () => ({
                    ...common,
                    platform: `linux/${architecture}`,
                    context: { location: join(app, "app") },
                    nodes: [world.builders[architecture].endpoint],
                    emulation: "allow",
                    timeoutSeconds: options.timeoutSeconds ?? 300,
                    // What is there already is not to be built again.
                    ...(isBuilt ? {} : { contentHash: "sha256:finished" }),
                }),
            };
        });
        writeContext(app, repository);
        const index: DeclaredResource = {
            name: "index",
            kind: "ImageIndex",
            inputs: (outputsOf) => ({
                ...common,
                images: platforms.map(({ name }) => ({
                    platform: `linux/${name}`,
                    digest: outputsOf(name)["digest"],
                    manifests: outputsOf(name)["manifests"],
                })),
                tags: ["v1", "latest"],
                deletion: "untag",
                ...options.index,
            }),
        };
        return [...platforms, index];
    };

    return {
        async withScene(options, act) {
            const address = free.pop();
            if (address === undefined) {
                throw new Error("more scenes at once than there are addresses");
            }
            const repository = world.newRepository(behind);
            copyRepository(behind, template, repository);
            const proxy = await startFaultProxy(world, behind, address);
            names.forEach((name, digest) => proxy.name(digest, name));
            try {
                const through = repository.replace(behind.registry, proxy.registry);
                const resources = inputsOf(proxy, through, options);
                const run = createLifecycleRun(resources, patience);
                for (const { platform, ...image } of images) {
                    const { architecture, os } = platform;
                    const resource = resources.find(({ name }) => name === architecture);
                    if (resource && architecture !== options.built) {
                        const outputs = {
                            digest: image.digest,
                            manifests: [{ ...image, platform: { architecture, os } }],
                        };
                        run.state.set(architecture, { id: through, inputs: resource.inputs(() => ({})), outputs });
                    }
                }
                return await act({ proxy, run, oldIndex, registry: lookInto(proxy, repository, view) });
            } finally {
                await proxy.close();
                free.push(address);
            }
        },
    };
}

/** Enough for a busy machine, and short enough to wait for it in a test. */
const patience = { timeouts: { headersMs: 2_000, bodyMs: 2_000 }, retry: { firstPauseMs: 50 } };

/** On the disk of the registry, because pushing everything again for each scene would take longer than the tests. */
function copyRepository({ folder }: RegistryPlace, from: string, to: string): void {
    const storage = join(folder, "registry", "storage", "docker", "registry", "v2", "repositories");
    const [source, target] = [from, to].map((name) => join(storage, name.slice(name.indexOf("/") + 1)));
    mkdirSync(join(target ?? "", ".."), { recursive: true });
    cpSync(source ?? "", target ?? "", { recursive: true });
}

function lookInto({ ask }: FaultProxy, repository: string, view: RegistryView): SceneRegistry {
    const base = `/v2/${repository.slice(repository.indexOf("/") + 1)}`;
    const read = async (path: string): Promise<unknown> => {
        return JSON.parse((await ask("GET", `${base}/${path}`)).body.toString("utf8"));
    };
    return {
        async digestOf(tag) {
            const { status, headers } = await ask("HEAD", `${base}/manifests/${tag}`);
            return status === 200 ? String(headers["docker-content-digest"]) : undefined;
        },
        tags: async () => ((await read("tags/list")) as { tags: string[] | null }).tags ?? [],
        childrenOf: async (digest) => {
            const { manifests } = (await read(`manifests/${digest}`)) as IndexDocument;
            return manifests.map((manifest) => manifest.digest);
        },
        async remove(name) {
            const { status } = await ask("DELETE", `${base}/manifests/${name}`);
            if (status !== 202) {
                throw new Error(`DELETE ${name} answered ${status}`);
            }
        },
        pushedManifests: () => view.pushedManifests(repository),
    };
}
