import { createHash } from "node:crypto";
import type { StoredNode } from "./storedBuilder";

/** How a Docker daemon is reached, and what its BuildKit container is like. */
export interface DockerSettings {
    readonly context?: string | undefined;
    readonly host?: string | undefined;
    readonly image?: string | undefined;
    readonly network?: string | undefined;
    readonly config?: { readonly location?: string | undefined; readonly inline?: string | undefined } | undefined;
    readonly options?: Readonly<Record<string, string>> | undefined;
    readonly name?: string | undefined;
}

/** The BuildKit that this release is tested with. `buildx-stable-1`, buildx's own default, changes without a word. */
export const defaultBuildKitImage = "moby/buildkit:v0.31.1";

const defaultName = "multiarch";

/** What errors call the builder. */
export function describeDocker({ context, host }: DockerSettings): string {
    return host === undefined ? `docker context ${context ?? "in use"}` : `docker at ${host}`;
}

/**
 * The options of buildx's docker-container driver. By default the driver lets a container start again and again when
 * BuildKit ends over its configuration, and after every boot of the machine; here the next build starts it.
 */
export function driverOptions({ image = defaultBuildKitImage, network, options = {} }: DockerSettings): string[] {
    const given = { ...options, image, ...(network === undefined ? {} : { network }) };
    return Object.entries({ "restart-policy": "no", ...given }).map(([name, value]) => `${name}=${value}`);
}

/**
 * The name of the container, without buildx's own prefix. It stands for everything the container was made with, files
 * included: buildx takes a container of the same name as it is, whatever its settings were.
 */
export function containerName({ name = defaultName }: DockerSettings, stored: StoredNode): string {
    const parts = [stored.DriverOpts, stored.Files].map((record) => Object.entries(record ?? {}).sort());
    const hash = createHash("sha256")
        .update(JSON.stringify([...parts, stored.Flags ?? []]))
        .digest("hex");
    return `${name}-${hash.slice(0, 10)}`;
}
