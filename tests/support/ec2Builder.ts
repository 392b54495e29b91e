import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { BuildReport, TlsMaterial } from "../../sdk";
import { renderUserData, type HostArchitecture, type HostSettings } from "../../sdk/builders/ec2/userData";
import { preflight, type BuilderFacts } from "../../sdk/builders/preflight";
import { bootHost, type Ec2Host } from "./ec2Host";
import { createCredentials, type ParameterStore } from "./ec2Parameters";
import type { ServedRelease } from "./ec2Release";
import { createVolume, type Ec2Volume } from "./ec2Volume";
import { createImageStack } from "./imageStack";
import { writeContext } from "./images";
import { loadTools } from "./toolLibrary";
import { runTool } from "./tools";
import type { World } from "./world";

/** A host that boots from the generated user data, with its volume, its parameter and its certificates. */
export interface Ec2Builder {
    readonly host: Ec2Host;
    readonly volume: Ec2Volume;
    readonly userData: string;
    /** The name of its parameter. */
    readonly parameter: string;
    /** What is in that parameter. */
    readonly server: TlsMaterial;
    readonly platform: string;
    /** How a stack names it. */
    readonly endpoint: { readonly platform: string; readonly address: string; readonly tls: TlsMaterial };
    /** Asks it until it is fit to build. Throws with the end of its logs after `seconds`, 60 by default. */
    waitUntilReady(seconds?: number): Promise<BuilderFacts>;
    /** Builds an image on it with the real engine: the context holds `content.txt` with a text. */
    build(text: string, dockerfile: string): Promise<BuildReport>;
    /** Lets it build a context without the engine and without an image, and gives what buildctl prints. */
    solve(context: Readonly<Record<string, string | Buffer>>): Promise<string>;
    /** Changes what its scripts are told, for example `IDLE_SECONDS`, while it runs or is off. */
    tell(settings: Readonly<Record<string, string | number>>): void;
    remove(): Promise<void>;
}

/** What a host is made of. */
export interface Ec2BuilderOptions {
    /** A name for its network, of at most six characters. */
    readonly name: string;
    readonly release: ServedRelease;
    readonly store: ParameterStore;
    readonly architecture?: HostArchitecture;
    readonly settings?: Partial<HostSettings>;
    /** More files of its machine image, by path. */
    readonly files?: Readonly<Record<string, string>>;
}

/** What this machine runs natively. Programs of the hosts are its own: another architecture is built by emulation. */
export const nativeArchitecture: HostArchitecture = process.arch === "arm64" ? "arm64" : "amd64";

/** Boots a builder. It asks for builds every two seconds, so that tests of the idle limit do not wait for the timer. */
export async function bootBuilder(world: World, options: Ec2BuilderOptions): Promise<Ec2Builder> {
    const { name, release, store, architecture = nativeArchitecture } = options;
    const platform = `linux/${architecture}`;
    const credentials = createCredentials();
    const parameter = `/multiarch/test/${name}`;
    const place = await world.network.addHost(name);
    const server = await world.issueServer(name, place.address);
    store.put(parameter, JSON.stringify(server), credentials);
    const volume = await createVolume();
    const userData = renderUserData({
        architecture,
        region: "eu-central-1",
        tlsParameter: parameter,
        ssmEndpoint: store.url,
        cache: { volumeId: volume.id, sizeGiB: volume.sizeGiB },
        buildkit: release,
        mirrors: world.mirror === undefined ? {} : { "docker.io": [world.mirror] },
        extraToml: describeTrust(world) + describeEmulation(architecture),
        ...options.settings,
    });
    const files = {
        ...options.files,
        [authority]: readFileSync(world.authorityFile, "utf8"),
        "/etc/systemd/system/multiarch-tick.timer.d/often.conf": "[Timer]\nOnActiveSec=2s\nOnUnitInactiveSec=2s\n",
    };
    const remove = async (host?: Ec2Host): Promise<void> => {
        await host?.terminate();
        await volume.remove();
    };
    let host: Ec2Host;
    try {
        host = await bootHost(world, { name, userData, volume, credentials, files }, place);
    } catch (error) {
        await remove();
        throw error;
    }
    const endpoint = { platform, address: `tcp://${host.address}:1234`, tls: await world.issueClient() };
    const emulation = architecture === nativeArchitecture ? ("never" as const) : ("allow" as const);

    return {
        ...{ host, volume, userData, parameter, server, platform, endpoint },
        async waitUntilReady(seconds = 60) {
            const end = Date.now() + seconds * 1_000;
            for (;;) {
                try {
                    return await preflight({ ...endpoint, name, emulation, property: "builders" });
                } catch (error) {
                    if (Date.now() > end) {
                        const tail = (await host.logs()).split("\n").slice(-60).join("\n");
                        throw new Error(`${String(error)}\n${tail}`, { cause: error });
                    }
                    await sleep(300);
                }
            }
        },
        async build(text, dockerfile) {
            const builders = { endpoints: [endpoint] };
            const stack = await createImageStack(world, { platforms: [platform], builders, emulation });
            try {
                writeContext(stack.folder, text, dockerfile);
                const { outputs } = await stack.up();
                const report = (outputs["builds"]?.value as Record<string, BuildReport>)[platform];
                if (report === undefined || !String(outputs["indexDigest"]?.value).startsWith("sha256:")) {
                    throw new Error(`nothing was built: ${JSON.stringify(outputs)}`);
                }
                return report;
            } finally {
                await stack.remove();
            }
        },
        async solve(context) {
            const { ensureToolchain } = await loadTools();
            const toolchain = await ensureToolchain({ system: false, compile: false });
            const folder = mkdtempSync(join(tmpdir(), "solve-"));
            const { ca, cert, key } = endpoint.tls;
            mkdirSync(join(folder, "tls"), { mode: 0o700 });
            for (const [file, text] of Object.entries({ "tls/ca.pem": ca, "tls/cert.pem": cert, "tls/key.pem": key })) {
                writeFileSync(join(folder, file), text);
            }
            for (const [file, content] of Object.entries({ ".dockerignore": "tls\n", ...context })) {
                writeFileSync(join(folder, file), content, { mode: 0o755 });
            }
            const argv = [
                ...[toolchain.bin("buildctl"), "--addr", endpoint.address, "--tlsdir", join(folder, "tls"), "build"],
                ...["--progress=plain", "--no-cache", "--frontend=dockerfile.v0"],
                ...["--local", `context=${folder}`, "--local", `dockerfile=${folder}`],
            ];
            // Progress is on the other stream.
            return runTool("sh", ["-c", 'exec "$@" 2>&1', "solve", ...argv]);
        },
        tell(settings) {
            const file = join(host.disk, "etc", "multiarch", "host.env");
            const change = (text: string, [key, value]: [string, string | number]): string =>
                text.replace(new RegExp(`^${key}=.*$`, "m"), `${key}=${value}`);
            writeFileSync(file, Object.entries(settings).reduce(change, readFileSync(file, "utf8")));
        },
        remove: () => remove(host),
    };
}

const authority = "/etc/tests-ca.pem";

function describeTrust(world: World): string {
    const names = [world.registry, ...(world.mirror === undefined ? [] : [world.mirror])];
    return names.map((name) => `[registry.${JSON.stringify(name)}]\nca = ["${authority}"]\n`).join("");
}

/** Says of a host that it emulates its own architecture, as `tools/lib/buildkitd.mjs` does. */
function describeEmulation(architecture: HostArchitecture): string {
    return architecture === nativeArchitecture ? "" : '[worker.oci.labels]\n"dev.pulumi-multiarch.emulated" = "true"\n';
}
