import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { parseReference, parseRepository } from "../../sdk/registry/reference";
import { runTool } from "./tools";
import type { RegistryPlace } from "./world";

/**
 * The registry as others see it: through its own HTTP interface with nothing of ours in between, and through buildx.
 */
export interface RegistryView {
    /** The digest a tag or digest answers with; undefined when the registry has nothing there. */
    digestOf(reference: string): Promise<string | undefined>;
    /** The manifest as JSON. */
    manifest(reference: string): Promise<IndexDocument>;
    /** The tags of a repository. */
    tags(repository: string): Promise<string[]>;
    /** The digests of all manifests in a repository, with a tag or without, as they are on the registry's disk. */
    pushedManifests(repository: string): string[];
    /** The contents of a repository by digest, as they are on the registry's disk. */
    blobs(repository: string): Map<string, Buffer>;
    /** The configuration of an image: its platform, environment and history. */
    config(reference: string): Promise<Record<string, unknown>>;
    /** Points a tag to something else, as another pipeline would. */
    moveTag(from: string, to: string): Promise<void>;
    /** Deletes a manifest, as a cleaning job would. */
    deleteManifest(reference: string): Promise<void>;
    /** Deletes a configuration or a layer, as a cleaning job that is wrong would. */
    deleteBlob(repository: string, digest: string): Promise<void>;
    /** Pulls the image of one platform: checks every layer against its digest, and unpacks it into a folder. */
    pull(reference: string, folder: string): Promise<void>;
    /** What buildx says of a reference. */
    inspect(reference: string, folder: string): Promise<{ digest: string; platforms: string[] }>;
}

export interface IndexDocument {
    readonly mediaType: string;
    readonly artifactType?: string;
    readonly manifests: readonly {
        digest: string;
        platform: { os: string; architecture: string; variant?: string };
        artifactType?: string;
        annotations?: Record<string, string>;
    }[];
    readonly config?: { digest: string };
    readonly layers?: readonly { digest: string; annotations?: Record<string, string> }[];
    readonly subject?: { digest: string };
}

const accept = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/** Looks into the registry of the world, or into another one that it has started. */
export function viewRegistry(world: RegistryPlace): RegistryView {
    const authorization = `Basic ${Buffer.from(`${world.username}:${world.password}`).toString("base64")}`;
    const call = async (path: string, init: { method?: string; body?: string; type?: string } = {}) => {
        const { method = "GET", body, type } = init;
        const args = ["--silent", "--show-error", "--cacert", world.caFile, "--request", method, "--config", "-"];
        const headers = [`header = "Authorization: ${authorization}"`, `header = "Accept: ${accept}"`];
        const input = [...headers, ...(type ? [`header = "Content-Type: ${type}"`] : [])].join("\n");
        const data = body === undefined ? [] : ["--data-binary", body];
        const printed = await runTool(
            "curl",
            [
                ...args,
                ...(method === "HEAD" ? ["--head"] : ["--include"]),
                ...data,
                `https://${world.registry}/v2/${path}`,
            ],
            { input },
        );
        // What a program prints is given with a line break at its end, which is not part of the answer.
        // Behind an interim answer (100 Continue) comes the real one.
        const [head = "", ...rest] = printed.replace(/^HTTP\S+ 100.*\r?\n\r?\n/, "").split(/\r?\n\r?\n/);
        const status = Number(/^HTTP\/\S+ (\d+)/.exec(head)?.[1]);
        const digest = /^docker-content-digest: (\S+)/im.exec(head)?.[1];
        return { status, digest, body: rest.join("\n\n").replace(/\n$/, "") };
    };
    const manifestPath = (reference: string): string => {
        const { repository, tag, digest } = parseReference(reference);
        return `${repository}/manifests/${digest ?? tag ?? "latest"}`;
    };

    return {
        async digestOf(reference) {
            const { status, digest } = await call(manifestPath(reference), { method: "HEAD" });
            if (status !== 200 && status !== 404) {
                throw new Error(`HEAD ${reference} answered ${status}`);
            }
            return status === 200 ? digest : undefined;
        },
        async manifest(reference) {
            return JSON.parse((await call(manifestPath(reference))).body) as IndexDocument;
        },
        async tags(repository) {
            const { status, body } = await call(`${parseRepository(repository).repository}/tags/list`);
            return status === 404 ? [] : ((JSON.parse(body) as { tags: string[] | null }).tags ?? []);
        },
        pushedManifests(repository) {
            const storage = join(world.folder, "registry", "storage", "docker", "registry", "v2", "repositories");
            const folder = join(storage, parseRepository(repository).repository, "_manifests", "revisions", "sha256");
            // A deleted manifest leaves its folder behind, without the link.
            const names = existsSync(folder) ? readdirSync(folder) : [];
            return names.filter((name) => existsSync(join(folder, name, "link"))).map((name) => `sha256:${name}`);
        },
        blobs(repository) {
            const root = join(world.folder, "registry", "storage", "docker", "registry", "v2");
            const of = (kind: string): string[] => {
                const folder = join(root, "repositories", parseRepository(repository).repository, kind, "sha256");
                return existsSync(folder) ? readdirSync(folder) : [];
            };
            const names = [...of("_layers"), ...of(join("_manifests", "revisions"))];
            return new Map(
                names.map((name) => [
                    `sha256:${name}`,
                    readFileSync(join(root, "blobs", "sha256", name.slice(0, 2), name, "data")),
                ]),
            );
        },
        async config(reference) {
            const { registry, repository } = parseReference(reference);
            const { config } = JSON.parse((await call(manifestPath(reference))).body) as IndexDocument;
            const answer = await call(`${repository}/blobs/${config?.digest ?? ""}`);
            return { registry, ...(JSON.parse(answer.body) as Record<string, unknown>) };
        },
        async moveTag(from, to) {
            const { body } = await call(manifestPath(from));
            const { mediaType } = JSON.parse(body) as IndexDocument;
            const { status } = await call(manifestPath(to), { method: "PUT", body, type: mediaType });
            if (status !== 201) {
                throw new Error(`PUT ${to} answered ${status}`);
            }
        },
        async deleteManifest(reference) {
            const { status } = await call(manifestPath(reference), { method: "DELETE" });
            if (status !== 202) {
                throw new Error(`DELETE ${reference} answered ${status}`);
            }
        },
        async deleteBlob(repository, digest) {
            const path = `${parseRepository(repository).repository}/blobs/${digest}`;
            const { status } = await call(path, { method: "DELETE" });
            if (status !== 202) {
                throw new Error(`DELETE ${digest} answered ${status}`);
            }
        },
        async pull(reference, folder) {
            const { repository } = parseReference(reference);
            const { layers = [] } = JSON.parse((await call(manifestPath(reference))).body) as IndexDocument;
            mkdirSync(folder, { recursive: true });
            for (const { digest } of layers) {
                const file = join(folder, digest.replace(":", "-"));
                const url = `https://${world.registry}/v2/${repository}/blobs/${digest}`;
                const input = `header = "Authorization: ${authorization}"`;
                const args = ["--silent", "--show-error", "--fail", "--location", "--cacert", world.caFile];
                await runTool("curl", [...args, "--config", "-", "--output", file, url], { input });
                const actual = `sha256:${createHash("sha256").update(readFileSync(file)).digest("hex")}`;
                assert.equal(actual, digest);
                await runTool("tar", ["--extract", "--file", file, "--directory", folder]);
            }
        },
        async inspect(reference, folder) {
            const auths = { [world.registry]: { auth: authorization.replace("Basic ", "") } };
            mkdirSync(folder, { recursive: true });
            writeFileSync(`${folder}/config.json`, JSON.stringify({ auths }), { mode: 0o600 });
            const env = { DOCKER_CONFIG: folder, SSL_CERT_FILE: world.caFile };
            const args = ["imagetools", "inspect", "--format", "{{json .Manifest}}", reference];
            const seen = JSON.parse(await runTool("buildx", args, { env })) as IndexDocument & { digest: string };
            return {
                digest: seen.digest,
                platforms: seen.manifests.map(({ platform }) => `${platform.os}/${platform.architecture}`),
            };
        },
    };
}
