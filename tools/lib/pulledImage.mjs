import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { SetupError } from "./console.mjs";
import { capture, run } from "./exec.mjs";
import { ensureDir } from "./paths.mjs";

const MANIFESTS = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

/**
 * A place in a registry, and who asks.
 * @typedef {{ address: string, repository: string, username: string, password: string, caFile: string }} Source
 */

/**
 * Pulls the image of one platform by digest and runs it in a container. Everything it reads is checked against its
 * digest, so what runs is what the registry holds under that name.
 * @param {Source} source
 * @param {{ digest: string, platform: string, dir: string, runc: string }} options `dir` is emptied first and removed after
 * @returns {Promise<string>} what the program printed
 */
export async function pullAndRun(source, { digest, platform, dir, runc }) {
    rmSync(dir, { recursive: true, force: true });
    const root = ensureDir(join(dir, "rootfs"));
    try {
        const manifest = await fetchManifest(source, { digest, platform });
        for (const layer of manifest.layers) {
            const file = join(dir, "layer.tar");
            writeFileSync(file, await fetchChecked(source, `blobs/${layer.digest}`, layer.digest));
            // tar finds out by itself how it is compressed.
            await run(["tar", "--extract", "--file", file, "--directory", root]);
        }
        const image = await fetchChecked(source, `blobs/${manifest.config.digest}`, manifest.config.digest);
        writeFileSync(join(dir, "config.json"), JSON.stringify(describeContainer(JSON.parse(image.toString()).config)));
        const argv = [runc, "--root", join(dir, "runc"), "run", "--bundle", dir, `multiarch-${process.pid}`];
        const { exitCode, stdout, output } = await capture(argv);
        if (exitCode !== 0) {
            throw new SetupError(`the image for ${platform} did not run (exit code ${exitCode}):\n${output.trim()}`);
        }
        return stdout.trim();
    } finally {
        rmSync(dir, { recursive: true, force: true });
    }
}

/**
 * @param {Source} source
 * @param {{ digest: string, platform: string }} options
 * @returns {Promise<{ config: { digest: string }, layers: { digest: string }[] }>}
 */
async function fetchManifest(source, { digest, platform }) {
    const document = JSON.parse((await fetchChecked(source, `manifests/${digest}`, digest)).toString());
    if (document.manifests === undefined) {
        return document;
    }
    // A platform is pushed as an index of its own when attestations go with it.
    const [os, architecture] = platform.split("/");
    const found = document.manifests.find(
        (/** @type {any} */ entry) => entry.platform?.os === os && entry.platform?.architecture === architecture,
    );
    if (found === undefined) {
        throw new SetupError(`${digest} has no image for ${platform}`);
    }
    return fetchManifest(source, { digest: found.digest, platform });
}

/**
 * @param {Source} source
 * @param {string} path
 * @param {string} digest
 * @returns {Promise<Buffer>}
 */
async function fetchChecked({ address, repository, username, password, caFile }, path, digest) {
    const url = `https://${address}/v2/${repository}/${path}`;
    const options = {
        ca: readFileSync(caFile),
        auth: `${username}:${password}`,
        headers: { accept: MANIFESTS.join(", ") },
    };
    /** @type {import("node:http").IncomingMessage} */
    const response = await new Promise((resolve, reject) => {
        request(url, options, resolve).on("error", reject).end();
    });
    const body = await buffer(response);
    if (response.statusCode !== 200) {
        throw new SetupError(`${url} answered ${response.statusCode}`);
    }
    const actual = `sha256:${createHash("sha256").update(body).digest("hex")}`;
    if (actual !== digest) {
        throw new SetupError(`${url} is not what its digest says: ${actual}`);
    }
    return body;
}

/**
 * A container with nothing but the image: no network, no writing, no privileges.
 * See https://github.com/opencontainers/runtime-spec/blob/v1.2.0/config.md
 * @param {{ Entrypoint?: string[], Cmd?: string[], Env?: string[], WorkingDir?: string }} image
 */
function describeContainer(image) {
    return {
        ociVersion: "1.0.0",
        root: { path: "rootfs", readonly: true },
        process: {
            args: [...(image.Entrypoint ?? []), ...(image.Cmd ?? [])],
            env: image.Env ?? [],
            cwd: image.WorkingDir || "/",
            user: { uid: 0, gid: 0 },
            noNewPrivileges: true,
        },
        mounts: [{ destination: "/proc", type: "proc", source: "proc" }],
        linux: { namespaces: ["pid", "mount", "ipc", "uts", "network"].map((type) => ({ type })) },
    };
}
