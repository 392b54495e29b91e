import { AsyncLocalStorage } from "node:async_hooks";
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import * as pulumi from "@pulumi/pulumi";

import type { Emulation, RegistryArgs } from "../args";
import { classifyFailure } from "../build/classify";
import type { NodeArgs } from "../resources/platformImage";
import { connectToken, releaseToken, startToken } from "./tokens";

/** What a `docker_build.Image` is built on. */
export interface HookedBuild {
    /** A text that stands for this build in names, in this program alone. */
    readonly label: string;
    readonly platform: string;
    readonly nodes: pulumi.Input<pulumi.Input<NodeArgs>[]>;
    readonly emulation?: pulumi.Input<Emulation> | undefined;
    readonly retries?: pulumi.Input<number> | undefined;
    /** The platforms of the same index, and a name for it. Defaults to this one alone. */
    readonly siblings?: readonly string[] | undefined;
    readonly group?: pulumi.Input<string> | undefined;
    /** Where it is pushed. With it, the right to push is checked too. */
    readonly repository?: pulumi.Input<string> | undefined;
    readonly registries?: pulumi.Input<pulumi.Input<RegistryArgs>[]> | undefined;
}

const defaultRetries = 2;
const firstPauseMs = 1_000;

let hookCount = 0;

/**
 * The name under which docker-build looks for a builder. Equal on every machine: it is an input of the image there, and a
 * new one would build again.
 */
export function builderNameOf(...parts: readonly string[]): string {
    return `multiarch-${createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 20)}`;
}

/** What a build has around it. */
export interface BuildHooks {
    readonly hooks: pulumi.ResourceHookBinding;
    /**
     * Done when the plugin runs. The build has to wait for that: a hook holds one of the engine's workers, and with
     * `--parallel 1` there would be none left to start the plugin that the hook asks.
     */
    readonly started: Promise<void>;
}

/**
 * What the engine runs around each build: before it the builders are checked, and one is made known to docker-build;
 * afterwards it is taken away again. A transient fault is tried again.
 */
export function hooksFor(build: HookedBuild, parent?: pulumi.Resource): BuildHooks {
    const { label, retries = defaultRetries, ...request } = build;
    const options = { async: true, ...(parent === undefined ? {} : { parent }) } as const;
    // The engine calls hooks from outside of the program. One of several that run in this process is told by where it
    // was declared.
    const inProgram = AsyncLocalStorage.snapshot();
    const ask = async (token: string, args: pulumi.Inputs): Promise<void> => {
        await inProgram(() => pulumi.runtime.invoke(token, args, options));
    };
    const connect = ({ urn, newInputs }: pulumi.ResourceHookArgs): Promise<void> => {
        return ask(connectToken, { ...request, urn, name: builderOf(newInputs) });
    };
    const release = ({ newInputs }: Pick<pulumi.ResourceHookArgs, "newInputs">): Promise<void> => {
        return ask(releaseToken, { name: builderOf(newInputs) });
    };
    hookCount += 1;
    const onError = new pulumi.ErrorHook(`multiarch:${label}:retry-${hookCount}`, async ({ newInputs, errors }) => {
        const tries = await valueOf(retries);
        if (errors.length > tries || !isTransient(errors[0] ?? "")) {
            await release({ newInputs: newInputs ?? {} });
            return false;
        }
        await sleep(firstPauseMs * 2 ** (errors.length - 1));
        return true;
    });
    const started = ask(startToken, {});
    // Whoever needs it learns of it. A fleet that nothing is built on needs no plugin.
    started.catch(() => undefined);
    const before = [connect];
    const after = [release];
    const hooks = { beforeCreate: before, beforeUpdate: before, afterCreate: after, afterUpdate: after };
    return { hooks: { ...hooks, onError: [onError] }, started };
}

/** The builder by the name that is in the state: a resource that was moved keeps the one it was made with. */
function builderOf(inputs: Record<string, unknown> | undefined): string {
    return (inputs?.["builder"] as { name?: string } | undefined)?.name ?? "";
}

/** Tells from the text of docker-build whether another try may help. A failing step never is tried again. */
export function isTransient(text: string): boolean {
    return classifyFailure({ failure: undefined, lines: [`ERROR: ${text}`] }).fields.transient === true;
}

/** The value alone. What follows from it depends on no resource: a child that depended on its parent would wait for itself. */
export function valueOf<T>(input: pulumi.Input<T>): Promise<T> {
    return new Promise((resolve) => {
        pulumi.output(input).apply((value) => resolve(value as T));
    });
}
