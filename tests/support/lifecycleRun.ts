import { createPlatformImageLifecycle } from "../../sdk/resources/platformImageLifecycle";
import { imageIndexLifecycle } from "../../sdk/resources/imageIndexLifecycle";
import type { OperationContext, ResourceLifecycle } from "../../sdk/resources/lifecycle";
import type { Properties } from "../../sdk/resources/values";

/** A stack of a few resources without the engine: what it would call, in its order, with a state that it would keep. */
export interface LifecycleRun {
    /** Brings everything to its inputs. What is finished before something fails is kept, as the engine does. */
    up(): Promise<void>;
    /** Looks everything up; what is gone leaves the state. */
    refresh(): Promise<void>;
    destroy(): Promise<void>;
    /** The state of each resource by name. */
    readonly state: Map<string, StoredResource>;
    /** Everything that was reported to the user. */
    readonly lines: string[];
}

/** One resource, as a state has it. */
export interface StoredResource {
    readonly id: string;
    readonly inputs: Properties;
    readonly outputs: Properties;
}

/** A resource of the program. Its inputs may come from the outputs of those before it. */
export interface DeclaredResource {
    readonly name: string;
    readonly kind: "PlatformImage" | "ImageIndex";
    readonly inputs: (outputsOf: (name: string) => Properties) => Properties;
    /** True for one that `up` need not look at while it is in the state, and that stays: its own hash takes time. */
    readonly isFinished?: boolean;
}

/** Makes such a stack. The process has to be in a state in which the provider would find everything, as it does. */
export function createLifecycleRun(
    resources: readonly DeclaredResource[],
    patience: NonNullable<OperationContext["patience"]>,
): LifecycleRun {
    const lifecycles = { PlatformImage: createPlatformImageLifecycle(), ImageIndex: imageIndexLifecycle };
    const state = new Map<string, StoredResource>();
    const lines: string[] = [];
    const tell = (text: string): void => void lines.push(text);
    const contextOf = ({ kind, name }: DeclaredResource): OperationContext => ({
        urn: `urn:pulumi:test::project::multiarch:index:${kind}::${name}`,
        reporter: { status: () => undefined, info: tell, warn: tell },
        signal: new AbortController().signal,
        secrets: [],
        patience,
    });

    async function bring(resource: DeclaredResource, lifecycle: ResourceLifecycle): Promise<void> {
        const context = contextOf(resource);
        const given = resource.inputs((name) => state.get(name)?.outputs ?? {});
        const old = state.get(resource.name);
        const { problems, added } = await lifecycle.check(given, old?.inputs, context);
        if (problems.length > 0) {
            throw new Error(`the inputs of ${resource.name} are wrong: ${JSON.stringify(problems)}`);
        }
        const inputs = { ...given, ...added };
        if (old === undefined) {
            state.set(resource.name, { inputs, ...(await lifecycle.create(inputs, context)) });
        } else if ((await lifecycle.diff(old, inputs, context)).changed) {
            state.set(resource.name, { ...old, inputs, outputs: await lifecycle.update(old, inputs, context) });
        }
    }

    return {
        state,
        lines,
        async up() {
            for (const resource of resources.filter(({ isFinished, name }) => !isFinished || !state.has(name))) {
                await bring(resource, lifecycles[resource.kind]);
            }
        },
        async refresh() {
            for (const resource of resources) {
                const old = state.get(resource.name);
                const found = old && (await lifecycles[resource.kind].read(old.id, old, contextOf(resource)));
                if (old && found) {
                    state.set(resource.name, { ...old, ...found });
                } else {
                    state.delete(resource.name);
                }
            }
        },
        async destroy() {
            for (const resource of resources.filter(({ isFinished }) => !isFinished).reverse()) {
                const old = state.get(resource.name);
                if (old) {
                    await lifecycles[resource.kind].delete(old, contextOf(resource));
                    state.delete(resource.name);
                }
            }
        },
    };
}
