import { copyFileSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { startBuildkitd, stopBuildkitd } from "./buildkitd.mjs";
import { createAuthority, issue, writeKeyPair } from "./certificates.mjs";
import { say, step } from "./console.mjs";
import { findDaemon } from "./daemon.mjs";
import { packDebianRoot, rootPackages } from "./debianRoot.mjs";
import { run } from "./exec.mjs";
import { goVersion, packGoCompiler } from "./goCompiler.mjs";
import { frontend } from "./goTable.mjs";
import { buildFrontend } from "./goTools.mjs";
import { withLock } from "./lock.mjs";
import { cacheDir, ensureDir, repoRoot } from "./paths.mjs";
import { findFreePort } from "./ports.mjs";
import { startRegistry } from "./registry.mjs";
import { hashOf, readJson, writeJson } from "./stamp.mjs";
import { hostArch } from "./system.mjs";

/** @typedef {import("./toolchain.mjs").Toolchain} Toolchain */

/** The Docker Hub images that have stand-ins, by their stage in tools/standins/Dockerfile. */
export const standIns = {
    alpine: "library/alpine:latest",
    golang: "library/golang:1.21-alpine",
    dockerfile: "docker/dockerfile:1",
};

const DOCKER_HUB = "https://registry-1.docker.io/v2/";
const DOCKER_HUB_MS = 5_000;

// Raised when the way of making them changes, beyond what the stamp sees by itself.
const RECIPE = "1";

const ARCHES = /** @type {const} */ (["amd64", "arm64"]);
const standInsDir = join(cacheDir, "standins");
const dockerfileDir = join(repoRoot, "tools", "standins");

/**
 * Makes stand-ins for the base images where Docker Hub cannot be reached: once, from Debian's packages, the Go module
 * proxy and our own Dockerfile frontend.
 * @param {Toolchain} toolchain
 * @param {{ always?: boolean }} [options] `always`: does not ask Docker Hub
 * @returns {Promise<{ needed: false } | { needed: true, storageDir: string }>} the storage for a registry that serves them
 */
export async function ensureStandIns(toolchain, { always = false } = {}) {
    if (!always && (await answersDockerHub())) {
        return { needed: false };
    }
    const storageDir = join(standInsDir, "storage");
    if (!isReady()) {
        await withLock("standins", async () => {
            if (!isReady()) {
                await buildStandIns(toolchain);
            }
        });
    }
    return { needed: true, storageDir };
}

/** True when Docker Hub answers as a registry does; it asks everybody for a token first. */
export async function answersDockerHub() {
    try {
        const { status } = await fetch(DOCKER_HUB, { signal: AbortSignal.timeout(DOCKER_HUB_MS) });
        return status === 200 || status === 401;
    } catch {
        return false;
    }
}

function isReady() {
    return readJson(join(standInsDir, "stamp.json"))?.recipe === recipeHash();
}

function recipeHash() {
    return hashOf([
        RECIPE,
        readFileSync(join(dockerfileDir, "Dockerfile")),
        ...rootPackages,
        goVersion,
        frontend.version,
    ]);
}

/** @param {Toolchain} toolchain */
async function buildStandIns(toolchain) {
    const names = Object.values(standIns).join(", ");
    say(
        `Docker Hub does not answer, so stand-ins for ${names} are built: from Debian packages and the Go distribution`,
    );
    const work = `${standInsDir}.building`;
    await discard(work);
    try {
        const context = ensureDir(join(work, "context"));
        for (const arch of ARCHES) {
            copyFileSync(await buildFrontend(arch), join(context, `dockerfile-frontend-${arch}`));
            await step(`stand-in for alpine: packing a small Debian for ${arch}`, () =>
                packDebianRoot({
                    arch,
                    dir: ensureDir(join(work, "root", arch)),
                    tarFile: tarFile(context, "rootfs", arch),
                }),
            );
            const expect = arch === hostArch() ? "a few seconds" : "2 to 4 min where it has to be compiled";
            await step(
                `stand-in for golang: packing Go ${goVersion} for ${arch}`,
                () =>
                    packGoCompiler({
                        arch,
                        dir: ensureDir(join(work, "go", arch)),
                        tarFile: tarFile(context, "go", arch),
                    }),
                { expect },
            );
        }
        await step("stand-ins: building the images", () => buildImages({ toolchain, work, context }));
        rmSync(standInsDir, { recursive: true, force: true });
        renameSync(join(work, "registry", "storage"), join(ensureDir(standInsDir), "storage"));
        writeJson(join(standInsDir, "stamp.json"), { recipe: recipeHash() });
    } finally {
        await discard(work);
    }
}

/**
 * Builds all images with a BuildKit daemon and a registry that live only for this.
 * @param {{ toolchain: Toolchain, work: string, context: string }} options
 */
async function buildImages({ toolchain, work, context }) {
    const tls = await writeCertificates(join(work, "tls"));
    const host = "127.0.0.1";
    const registryPort = await findFreePort(15_443);
    const builderPort = await findFreePort(registryPort + 1);
    const registry = await startRegistry({
        binary: toolchain.bin("registry"),
        dir: join(work, "registry"),
        host,
        port: registryPort,
        tls: tls.server,
    });
    const builder = await startBuildkitd({
        binary: toolchain.bin("buildkitd"),
        dir: join(work, "buildkitd"),
        platform: `linux/${hostArch()}`,
        address: `tcp://${host}:${builderPort}`,
        tls: { caFile: tls.caFile, ...tls.server },
        registries: { [registry.address]: { caFile: tls.caFile } },
    });
    for (const [target, name] of Object.entries(standIns)) {
        const output = `type=image,name=${registry.address}/${name},push=true,compression-level=1`;
        await run(
            [
                ...[toolchain.bin("buildctl"), "--addr", builder.address],
                ...["--tlscacert", tls.caFile, "--tlscert", tls.client.certFile, "--tlskey", tls.client.keyFile],
                ...["build", "--progress=plain", "--frontend=dockerfile.v0", `--local=context=${context}`],
                ...[`--local=dockerfile=${dockerfileDir}`, `--opt=target=${target}`, `--output=${output}`],
                ...[`--opt=build-arg:GO_VERSION=${goVersion}`, "--opt=platform=linux/amd64,linux/arm64"],
            ],
            { logFile: join(work, `${target}.log`) },
        );
    }
    await builder.stop();
    await registry.stop();
}

/** @param {string} dir */
async function writeCertificates(dir) {
    const authority = await createAuthority("stand-ins");
    const server = await issue(authority, { commonName: "server", ipAddresses: ["127.0.0.1"], usage: "server" });
    const client = await issue(authority, { commonName: "client", usage: "client" });
    return {
        caFile: writeKeyPair(dir, "ca", authority).certFile,
        server: writeKeyPair(dir, "server", server),
        client: writeKeyPair(dir, "client", client),
    };
}

/**
 * Ends what an interrupted run left behind, and removes the folder.
 * @param {string} work
 */
async function discard(work) {
    await stopBuildkitd({ dir: join(work, "buildkitd") });
    await findDaemon({ name: "registry", dir: join(work, "registry") })?.stop();
    rmSync(work, { recursive: true, force: true });
}

/** @param {string} dir @param {string} kind @param {string} arch */
function tarFile(dir, kind, arch) {
    return join(dir, `${kind}-${arch}.tar`);
}
