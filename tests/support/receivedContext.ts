import { type Dirent, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { ContextEntry, EntryKind } from "../../sdk/context/request";
import { runTool } from "./tools";
import type { Builder } from "./world";

/** Contexts for one build. */
export interface SentContexts {
    /** The folder of the main context. */
    readonly context: string;
    /** The path of a Dockerfile with the text of `copyEverything`. By default the one in the context. */
    readonly dockerfile: string | undefined;
    /** Folders of named contexts. */
    readonly named?: Readonly<Record<string, string>>;
}

/** Shows what a builder receives of a context. */
export interface ContextReceiver {
    /** Builds with buildx, and lists what arrived: of the main context as `main`, of the others by their names. */
    receive(contexts: SentContexts): Promise<Record<string, ContextEntry[]>>;
    remove(): void;
}

/** A Dockerfile whose image has the main context and named ones in a folder each. */
export function copyEverything(names: readonly string[] = []): string {
    return ["FROM scratch", "COPY . /main/", ...names.map((name) => `COPY --from=${name} . /${name}/`), ""].join("\n");
}

/** Makes the builder known to a buildx of our own. */
export async function createReceiver({ endpoint }: Builder): Promise<ContextReceiver> {
    const folder = mkdtempSync(join(tmpdir(), "multiarch-receiver-"));
    const env = { BUILDX_CONFIG: join(folder, "buildx"), DOCKER_CONFIG: join(folder, "docker") };
    const options = Object.entries(endpoint.tls ?? {}).map(([part, pem]) => {
        const file = join(folder, part);
        writeFileSync(file, pem as string, { mode: 0o600 });
        return `${part === "ca" ? "cacert" : part}=${file}`;
    });
    await runTool(
        "buildx",
        ["create", "--name", "receiver", "--driver", "remote", "--driver-opt", options.join(","), endpoint.address],
        { env },
    );
    let builds = 0;
    return {
        async receive({ context, dockerfile, named = {} }) {
            const target = join(folder, `build${builds++}`);
            await runTool(
                "buildx",
                [
                    ...["build", "--builder", "receiver", "--provenance=false"],
                    ...(dockerfile ? ["--file", dockerfile] : []),
                    ...Object.entries(named).flatMap(([name, path]) => ["--build-context", `${name}=${path}`]),
                    ...["--output", `type=local,dest=${target}`, context],
                ],
                { env },
            );
            try {
                const names = ["main", ...Object.keys(named)];
                return Object.fromEntries(names.map((name) => [name, listFolder(join(target, name))]));
            } finally {
                rmSync(target, { recursive: true });
            }
        },
        remove() {
            rmSync(folder, { recursive: true });
        },
    };
}

function listFolder(root: string): ContextEntry[] {
    return readdirSync(root, { withFileTypes: true }).flatMap((child) => {
        const kind = kindOf(child);
        const below = kind === "directory" ? listFolder(join(root, child.name)) : [];
        return [
            { path: child.name, kind },
            ...below.map((entry) => ({ ...entry, path: `${child.name}/${entry.path}` })),
        ];
    });
}

function kindOf(child: Dirent): EntryKind {
    if (child.isDirectory()) {
        return "directory";
    }
    if (child.isSymbolicLink()) {
        return "symlink";
    }
    return child.isFile() ? "file" : child.isFIFO() ? "fifo" : "device";
}
