import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { request as sendRequest } from "node:https";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";

import { listActiveBuilds, secondsUntil } from "./builderState";
import { viewRegistry } from "./registryView";
import { findMissing, type Ask } from "./tagGuard";
import type { Builder, RegistryPlace } from "./world";

// After a cable was pulled, the kernel tells the other side only now and then that a connection has ended.
const idleSeconds = 60;

/** Where a fault may have left something. */
export interface Scene {
    /** The registry itself, not what stands in front of it. */
    readonly place: RegistryPlace;
    /** The repositories, as that registry knows them. */
    readonly repositories: readonly string[];
    readonly builders: readonly Builder[];
    /** The environment of the stack. */
    readonly env: Readonly<Record<string, string>>;
}

/**
 * What holds after every fault: each tag points to everything that it needs, down to the layers; no builder works on
 * anything, not even on a ticket; and no key or password lies about on the machine of `up`.
 */
export async function assertNothingLost({ place, repositories, builders, env }: Scene): Promise<void> {
    const ask = askRegistry(place);
    const view = viewRegistry(place);
    for (const repository of repositories) {
        const path = repository.slice(repository.indexOf("/") + 1);
        for (const tag of await view.tags(repository)) {
            assert.deepEqual(await findMissing(ask, path, tag), [], `${repository}:${tag} is not whole`);
        }
    }
    for (const builder of builders) {
        let active: string[] = [];
        const isIdle = async (): Promise<boolean> => {
            // One that has just come back does not answer at once.
            active = await listActiveBuilds(builder).catch((error: unknown) => [String(error)]);
            return active.length === 0;
        };
        await secondsUntil(isIdle, idleSeconds, () => `${builder.endpoint.address} works on ${active.join(", ")}`);
    }
    await secondsUntil(
        () => listPrivateFiles(env).length === 0,
        idleSeconds,
        () => `left on this machine: ${listPrivateFiles(env).join(", ")}`,
    );
}

/** The files of private folders: where a build of this stack keeps its keys while it runs. */
export function listPrivateFiles(env: Readonly<Record<string, string>>): string[] {
    const base = env["XDG_RUNTIME_DIR"] ?? "";
    return readdirSync(base)
        .filter((name) => /^pulumi-multiarch-\d+$/.test(name))
        .flatMap((name) => listFolder(join(base, name)).map((file) => join(name, file)));
}

function listFolder(folder: string): string[] {
    try {
        return existsSync(folder) ? readdirSync(folder, { recursive: true }).map(String) : [];
    } catch {
        return ["a folder that is going right now"];
    }
}

const manifestTypes = ["index.v1", "manifest.v1"].map((name) => `application/vnd.oci.image.${name}+json`).join(", ");

/** Asks a registry directly, with its account. */
function askRegistry({ registry, username, password, caFile }: RegistryPlace): Ask {
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
    const headers = { authorization, accept: manifestTypes };
    const ca = readFileSync(caFile);
    return (method, path) =>
        new Promise((resolve, reject) => {
            const sent = sendRequest(`https://${registry}${path}`, { method, headers, ca }, (answer) => {
                const whole = buffer(answer).then((body) => {
                    return { status: answer.statusCode ?? 0, headers: answer.headers, body };
                });
                resolve(whole);
            });
            sent.on("error", reject).end();
        });
}
