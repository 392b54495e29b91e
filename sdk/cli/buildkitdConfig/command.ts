import * as path from "node:path";
import { parseArgs } from "node:util";

import { writeBuildkitdConfig, type BuildkitdSettings } from "../../builders/buildkitdConfig";
import { writeBuildkitdUnit } from "../../builders/buildkitdUnit";
import { parseSize } from "../../builders/volume";
import { MultiArchError } from "../../errors";
import { UsageError, type Command } from "../command";
import { helpText } from "./help";

const unitOnly = ["program", "config", "stop-seconds"] as const;

/** `pulumi-multiarch buildkitd-config`: the configuration and the unit of a builder's host. */
export const buildkitdConfigCommand: Command = {
    summary: "prints the recommended buildkitd.toml of a builder's host, or its systemd unit",
    help: helpText,
    run(args, { write }) {
        write(asUsage(() => writeDocument(parse(args))));
        return Promise.resolve(0);
    },
};

type Values = ReturnType<typeof parse>;

function writeDocument(values: Values): string {
    if (values.unit === true) {
        const known: readonly string[] = ["unit", "root", ...unitOnly];
        const foreign = Object.keys(values).find((name) => !known.includes(name));
        if (foreign !== undefined) {
            throw new UsageError(`--${foreign} is for the configuration, and not for --unit`);
        }
        const stopSeconds = readCount("stop-seconds", values["stop-seconds"]);
        return writeBuildkitdUnit({ program: values.program, config: values.config, root: values.root, stopSeconds });
    }
    const foreign = unitOnly.find((name) => values[name] !== undefined);
    if (foreign !== undefined) {
        throw new UsageError(`--${foreign} is for --unit`);
    }
    return writeBuildkitdConfig(readSettings(values));
}

function readSettings(values: Values): BuildkitdSettings {
    const cores = readCount("cores", values.cores);
    if (values["volume-size"] === undefined || cores === undefined) {
        throw new UsageError("--volume-size and --cores are needed");
    }
    const networkMode = values["network-mode"];
    if (networkMode !== undefined && networkMode !== "bridge" && networkMode !== "host") {
        throw new UsageError("--network-mode is one of bridge, host");
    }
    const folder = values["tls-dir"] ?? "/etc/buildkit/tls";
    if (values.insecure === true && values["tls-dir"] !== undefined) {
        throw new UsageError("--tls-dir and --insecure exclude each other");
    }
    const file = (name: string): string => path.posix.join(folder, name);
    return {
        volumeBytes: parseSize(values["volume-size"]),
        cores,
        addresses: values.address,
        ...(values.insecure === true
            ? {}
            : { tls: { ca: file("ca.pem"), cert: file("cert.pem"), key: file("key.pem") } }),
        networkMode,
        platforms: values.platform,
        maxParallelism: readCount("max-parallelism", values["max-parallelism"]),
        mirrors: readLists("mirror", values.mirror),
        registryCas: readLists("registry-ca", values["registry-ca"]),
        labels: Object.fromEntries(readPairs("label", values.label)),
        runtime: values.runtime,
        root: values.root,
    };
}

function parse(args: readonly string[]) {
    try {
        return parseArgs({
            args: [...args],
            options: {
                "volume-size": { type: "string" },
                cores: { type: "string" },
                address: { type: "string", multiple: true },
                "tls-dir": { type: "string" },
                insecure: { type: "boolean" },
                "network-mode": { type: "string" },
                platform: { type: "string", multiple: true },
                "max-parallelism": { type: "string" },
                mirror: { type: "string", multiple: true },
                "registry-ca": { type: "string", multiple: true },
                label: { type: "string", multiple: true },
                runtime: { type: "string" },
                root: { type: "string" },
                unit: { type: "boolean" },
                program: { type: "string" },
                config: { type: "string" },
                "stop-seconds": { type: "string" },
            },
        }).values;
    } catch (error) {
        throw new UsageError(error instanceof Error ? error.message : String(error));
    }
}

function readCount(name: string, text: string | undefined): number | undefined {
    if (text !== undefined && !/^[1-9]\d{0,8}$/.test(text)) {
        throw new UsageError(`--${name} has to be a whole number from 1 on`);
    }
    return text === undefined ? undefined : Number(text);
}

function readPairs(name: string, texts: readonly string[] = []): [string, string][] {
    return texts.map((text) => {
        const [, key = "", value = ""] = /^([^=]+)=(.+)$/.exec(text) ?? [];
        if (key === "") {
            throw new UsageError(`--${name} is written as NAME=VALUE, and not as ${JSON.stringify(text)}`);
        }
        return [key, value];
    });
}

function readLists(name: string, texts: readonly string[] | undefined): Record<string, string[]> {
    const lists: Record<string, string[]> = {};
    for (const [key, value] of readPairs(name, texts)) {
        lists[key] = [...(lists[key] ?? []), value];
    }
    return lists;
}

/** Settings that make no sense were written as arguments here. */
function asUsage<T>(work: () => T): T {
    try {
        return work();
    } catch (error) {
        throw error instanceof MultiArchError ? new UsageError(error.fields.what) : error;
    }
}
