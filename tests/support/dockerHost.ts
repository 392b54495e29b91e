import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";

import { buildPlatform } from "../../sdk/build/build";
import { privateDockerConfig } from "../../sdk/registry/dockerConfig";
import { loadTools } from "./toolLibrary";
import { runTool } from "./tools";
import type { World } from "./world";

/** A Docker daemon on a host of its own. */
export interface DockerHost {
    /** Where it listens, as `unix:///...`. Any process of this machine reaches it. */
    readonly address: string;
    /** An image of BuildKit in the registry of the world, which only its account can pull. */
    readonly image: string;
    /** The text of a buildkitd.toml that trusts the registry of the world. */
    readonly config: string;
    /** All containers, also those that do not run. */
    containers(): Promise<DockerContainer[]>;
    /** The names of all volumes. */
    volumes(): Promise<string[]>;
    /** Stops a container, as `docker stop` does. */
    stopContainer(name: string): Promise<void>;
    /** Stops the daemon, and takes away all it has kept. */
    remove(): Promise<void>;
}

/** A container. */
export interface DockerContainer {
    readonly id: string;
    readonly name: string;
    readonly state: string;
}

/** Starts a Docker daemon on a new host of the world. */
export async function startDockerHost(world: World, name: string): Promise<DockerHost> {
    const tools = await loadTools();
    const folder = mkdtempSync(join(tmpdir(), "docker-"));
    const host = await world.network.addHost(name);
    const image = await pushBuildKitImage(world, join(folder, "image"));
    const docker = await tools.ensureDocker();
    const { caFile } = world;
    const daemon = await tools.startDockerd({ docker, dir: join(folder, "docker"), netns: host.netns, caFile });
    const ask = (method: string, path: string) => callDocker(daemon.address, method, path);
    return {
        address: daemon.address,
        image,
        config: `[registry."${world.registry}"]\nca = [${JSON.stringify(caFile)}]\n`,
        async containers() {
            const listed = (await ask("GET", "/containers/json?all=1")) as {
                Id: string;
                Names: string[];
                State: string;
            }[];
            return listed.map(({ Id, Names, State }) => ({ id: Id, name: Names[0]?.slice(1) ?? "", state: State }));
        },
        async volumes() {
            const { Volumes } = (await ask("GET", "/volumes")) as { Volumes: { Name: string }[] | null };
            return (Volumes ?? []).map((volume) => volume.Name);
        },
        async stopContainer(container) {
            await ask("POST", `/containers/${container}/stop?t=5`);
        },
        async remove() {
            await daemon.stop();
            await rm(folder, { recursive: true, force: true, maxRetries: 3 });
        },
    };
}

/** Writes a context into a user's docker configuration, as `docker context create` does. */
export function writeDockerContext(dockerConfig: string, name: string, address: string): void {
    const id = createHash("sha256").update(name).digest("hex");
    const folder = join(dockerConfig, "contexts", "meta", id);
    mkdirSync(folder, { recursive: true });
    const endpoints = { docker: { Host: address, SkipTLSVerify: false } };
    writeFileSync(join(folder, "meta.json"), JSON.stringify({ Name: name, Metadata: {}, Endpoints: endpoints }));
}

/** Docker Hub may be out of reach: the image is made of the programs of the toolchain, and pushed by one of the builders. */
async function pushBuildKitImage(world: World, folder: string): Promise<string> {
    const tools = await loadTools();
    const toolchain = await tools.ensureToolchain({ system: false, compile: false });
    const runc = tools.findOnPath("runc") ?? "runc";
    const libraries = (await runTool("ldd", [runc])).match(/\/\S+/g) ?? [];
    const files = [
        ...["buildkitd", "buildctl"].map((name) => ({ from: toolchain.bin(name), to: `/usr/bin/${name}` })),
        { from: runc, to: "/usr/bin/runc" },
        ...libraries.map((file) => ({ from: file, to: file })),
    ];
    for (const { from, to } of files) {
        mkdirSync(join(folder, "root", dirname(to)), { recursive: true });
        copyFileSync(from, join(folder, "root", dirname(to), basename(to)));
    }
    const lines = ["FROM scratch", "COPY root /", "WORKDIR /tmp", "WORKDIR /", 'ENTRYPOINT ["buildkitd"]', ""];
    writeFileSync(join(folder, "Dockerfile"), lines.join("\n"));
    const { endpoint } = world.builders[tools.hostArch()];
    const repository = `${world.registry}/tools/buildkit`;
    const account = { address: world.registry, username: world.username, password: world.password };
    const node = { name: "builder", emulation: "never", property: "node", ...(endpoint as object) };
    const { pushed } = await buildPlatform({
        platform: endpoint.platform,
        node: node as unknown as Parameters<typeof buildPlatform>[0]["node"],
        repository,
        context: { location: folder },
        buildArgs: {},
        secrets: {},
        registriesConfig: privateDockerConfig([account], {}),
        timeoutSeconds: 300,
        baseDirectory: folder,
    });
    return `${repository}@${pushed?.digest ?? ""}`;
}

function callDocker(address: string, method: string, path: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
        const call = request({ socketPath: address.replace("unix://", ""), method, path }, (response) => {
            let text = "";
            response.setEncoding("utf8");
            response.on("data", (chunk: string) => (text += chunk));
            response.on("end", () => {
                const isFine = (response.statusCode ?? 500) < 400;
                if (isFine) {
                    resolve(text === "" ? undefined : JSON.parse(text));
                } else {
                    reject(new Error(`${method} ${path}: ${text}`));
                }
            });
        });
        call.on("error", reject);
        call.end();
    });
}
