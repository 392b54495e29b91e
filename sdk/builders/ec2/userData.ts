import { readFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";

import { MultiArchError } from "../../errors";
import { stepBridge, writeHostConfig } from "./hostConfig";
import { completeHostSettings, type CompleteHostSettings, type HostSettings } from "./hostSettings";
import { daemonUnit, scriptFolder, tickTimer, writeUnits } from "./hostUnits";

export type { BuildKitRelease, CacheVolume, HostArchitecture, HostSettings } from "./hostSettings";

/** What EC2 takes, in bytes. */
export const userDataLimit = 16_384;

/** The scripts are no TypeScript, so they are in the package as they are, below the sources. */
const scriptsHere = join(__dirname, "..", "..", "..", "sdk", "builders", "ec2", "hostScripts");

const scripts = ["common", "install", "mount", "tls", "prepare", "quarantine", "watch", "idle"];

/**
 * The user data of an EC2 instance that is to be a builder, as a cloud-config. Equal settings give equal text, and there
 * is no secret in it. Throws a MultiArchError `builder-host-settings` for settings that make no sense, or that make it
 * longer than EC2 allows.
 */
export function renderUserData(settings: HostSettings): string {
    const complete = completeHostSettings(settings);
    const files = [
        { path: "/etc/multiarch/host.env", content: writeEnvironment(complete) },
        { path: "/etc/multiarch/buildkitd.toml", content: writeHostConfig(complete) },
        ...Object.entries(writeUnits(complete)).map(([name, content]) => {
            return { path: `/etc/systemd/system/${name}`, content };
        }),
        ...scripts.map((name) => ({
            path: `${scriptFolder}/${name}.sh`,
            permissions: "0755",
            content: readScript(name),
        })),
    ];
    const config = {
        // The machine image decides about updates: a boot must not depend on a package mirror.
        package_update: false,
        package_upgrade: false,
        repo_upgrade: "none",
        write_files: files,
        runcmd: [
            ["systemctl", "daemon-reload"],
            ["systemctl", "enable", daemonUnit, tickTimer],
            ["systemctl", "start", "--no-block", daemonUnit, tickTimer],
        ],
    };
    // Narrow, for the limit is small, and half of it is scripts.
    const text = `#cloud-config\n${stringify(config, { lineWidth: 0, indent: 1, indentSeq: false })}`;
    const bytes = Buffer.byteLength(text);
    if (bytes > userDataLimit) {
        const what = `the user data has ${bytes} bytes, and EC2 takes ${userDataLimit}`;
        throw new MultiArchError("builder-host-settings", { what, next: "Shorten extraToml or mirrors." });
    }
    return text;
}

/** A script without its comments, which are for those who read it in the package. */
function readScript(name: string): string {
    return readFileSync(join(scriptsHere, `${name}.sh`), "utf8").replace(/^ *#(?!!).*\n|^\n/gm, "");
}

/** What the scripts need to know, as a file for the shell. */
function writeEnvironment(settings: CompleteHostSettings): string {
    const { archive, buildkit, idleMinutes, deadManHours, maxParallelism } = settings;
    const values = {
        REGION: settings.region,
        TLS_PARAMETER: settings.tlsParameter,
        SSM_ENDPOINT: settings.ssmEndpoint ?? "",
        CACHE_DEVICE: settings.device,
        BUILDKIT_VERSION: buildkit.version,
        BUILDKIT_URL: archive.url,
        BUILDKIT_SHA256: archive.sha256,
        STEP_BRIDGE: stepBridge,
        MAX_PARALLELISM: maxParallelism?.toString() ?? "",
        IDLE_SECONDS: String(Math.ceil(idleMinutes * 60)),
        DEAD_MAN_SECONDS: String(Math.ceil(deadManHours * 3_600)),
    };
    const lines = Object.entries(values).map(([name, value]) => `${name}=${quote(value)}\n`);
    return lines.join("");
}

/** A text as one word of a shell. */
function quote(text: string): string {
    return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
