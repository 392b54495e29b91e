import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Files by path: text, bytes, a link, or `null` for an empty folder. */
export type Tree = Readonly<Record<string, string | Uint8Array | { readonly link: string } | null>>;

/** Temporary folders that all go away with `remove`. */
export function createFolders(): { make(tree: Tree): string; remove(): void } {
    const base = mkdtempSync(join(tmpdir(), "multiarch-context-"));
    let count = 0;
    return {
        make(tree) {
            const root = join(base, `folder${count++}`);
            mkdirSync(root);
            addTo(root, tree);
            return root;
        },
        remove() {
            rmSync(base, { recursive: true, force: true });
        },
    };
}

/** Adds entries to a folder, in the order given. */
export function addTo(root: string, tree: Tree): void {
    for (const [path, content] of Object.entries(tree)) {
        const target = join(root, path);
        mkdirSync(dirname(target), { recursive: true });
        if (content === null) {
            mkdirSync(target, { recursive: true });
        } else if (typeof content === "string" || content instanceof Uint8Array) {
            writeFileSync(target, content);
        } else {
            symlinkSync(content.link, target);
        }
    }
}

/** Runs the work as somebody who may not read everything: root may, and tests often run as root. */
export async function withoutPrivileges<T>(work: () => Promise<T>): Promise<T> {
    if (process.getuid?.() !== 0) {
        return work();
    }
    process.seteuid?.(65534);
    try {
        return await work();
    } finally {
        process.seteuid?.(0);
    }
}
