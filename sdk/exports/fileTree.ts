import { printable, type TarEntry } from "./tarHeader";

/** A file, link or device, or a folder with what is in it. Hard links are several names of one inode. */
export type Inode = FolderInode | LeafInode;

/** A folder. One that no layer describes has no entry. */
export interface FolderInode {
    readonly kind: "directory";
    entry: TarEntry | undefined;
    readonly children: Map<string, Name>;
}

/** Anything but a folder. */
export interface LeafInode {
    readonly kind: Exclude<TarEntry["kind"], "directory" | "hardlink">;
    readonly entry: TarEntry;
    /** The layer with the content, counted from 0, and where it is in there. */
    readonly layer: number;
    readonly offset: number;
}

/** A name in a folder, and the last layer that has written it. */
interface Name {
    layer: number;
    inode: Inode;
}

/** One path of an image. */
export interface TreeItem {
    readonly path: string;
    readonly inode: Inode;
    /** Where the same file was listed before, when it has several names. */
    readonly sameAs?: string | undefined;
}

const whiteout = ".wh.";
/** What AUFS keeps for itself. */
const aufsNote = ".wh..wh.";
const opaque = ".wh..wh..opq";
const maximumLinks = 255;

/** Makes the root of a file system without anything in it. */
export function createTree(): FolderInode {
    return { kind: "directory", entry: undefined, children: new Map() };
}

/**
 * Adds one entry of a layer to what the layers below have made, with the rules of
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md and of containerd where it says nothing: a path
 * that leads through a symbolic link is followed inside the image, as `chroot` would.
 *
 * Fails with an error that says what is wrong, for what leads out of the image or to what is not there.
 */
export function applyEntry(root: FolderInode, entry: TarEntry, offset: number, layer: number): void {
    const parts = splitPath(entry.path);
    const name = parts.pop();
    if (name === undefined) {
        root.entry = entry.kind === "directory" ? entry : root.entry;
        return;
    }
    if (parts.some((part) => part.startsWith(aufsNote))) {
        return;
    }
    if (name.startsWith(whiteout)) {
        hide(root, parts, name, layer);
        return;
    }
    const folder = findFolder(root, parts, layer) ?? root;
    const known = folder.children.get(name);
    if (entry.kind === "directory") {
        if (known?.inode.kind === "directory") {
            known.inode.entry = entry;
            known.layer = layer;
        } else {
            folder.children.set(name, { layer, inode: { ...createTree(), entry } });
        }
        return;
    }
    const inode = entry.kind === "hardlink" ? findLinked(root, entry, layer) : toLeaf(entry, offset, layer);
    folder.children.set(name, { layer, inode });
}

/** Everything in the image: a folder before what is in it, names in the order of their bytes. */
export function listTree(root: FolderInode): TreeItem[] {
    const items: TreeItem[] = [];
    const first = new Map<Inode, string>();
    const visit = (folder: FolderInode, prefix: string): void => {
        for (const [name, { inode }] of [...folder.children].sort(([one], [other]) => (one < other ? -1 : 1))) {
            const path = `${prefix}${name}`;
            const sameAs = first.get(inode);
            items.push({ path, inode, ...(sameAs === undefined ? {} : { sameAs }) });
            if (inode.kind === "directory") {
                visit(inode, `${path}/`);
            } else if (sameAs === undefined) {
                first.set(inode, path);
            }
        }
    };
    visit(root, "");
    return items;
}

/** A whiteout hides what lower layers have under its name, and never what its own layer has. */
function hide(root: FolderInode, parts: readonly string[], name: string, layer: number): void {
    const folder = findFolder(root, parts, undefined);
    if (folder === undefined) {
        return;
    }
    if (name === opaque) {
        [...folder.children.keys()].forEach((child) => {
            prune(folder, child, layer);
        });
    } else if (!name.startsWith(aufsNote)) {
        prune(folder, name.slice(whiteout.length), layer);
    }
}

function prune(folder: FolderInode, name: string, layer: number): void {
    const known = folder.children.get(name);
    if (known === undefined) {
        return;
    }
    const { inode } = known;
    if (inode.kind === "directory") {
        [...inode.children.keys()].forEach((child) => {
            prune(inode, child, layer);
        });
    }
    const isEmpty = inode.kind !== "directory" || inode.children.size === 0;
    if (known.layer < layer && isEmpty) {
        folder.children.delete(name);
    }
}

/**
 * Finds a folder by its path, with symbolic links followed inside the image. With a layer, what is missing is made as
 * its part; without one, the answer is undefined then.
 */
function findFolder(root: FolderInode, path: readonly string[], layer: number | undefined): FolderInode | undefined {
    const pending = [...path];
    const trail: FolderInode[] = [root];
    let links = 0;
    for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
        const folder = trail.at(-1) ?? root;
        if (part === "" || part === ".") {
            continue;
        }
        if (part === "..") {
            // Only the target of a link has it. Above the root there is the root again.
            trail.splice(Math.max(1, trail.length - 1));
            continue;
        }
        const known = folder.children.get(part)?.inode;
        if (known?.kind === "directory") {
            trail.push(known);
        } else if (known?.kind === "symlink") {
            links += 1;
            if (links > maximumLinks) {
                throw new TypeError(`${printable(path.join("/"))} leads through more than ${maximumLinks} links`);
            }
            pending.unshift(...known.entry.link.split("/"));
            if (known.entry.link.startsWith("/")) {
                trail.splice(1);
            }
        } else if (layer === undefined) {
            return undefined;
        } else if (known === undefined) {
            const made = createTree();
            folder.children.set(part, { layer, inode: made });
            trail.push(made);
        } else {
            throw new TypeError(`${printable(path.join("/"))} leads through ${printable(part)}, which is no folder`);
        }
    }
    return trail.at(-1);
}

function findLinked(root: FolderInode, entry: TarEntry, layer: number): LeafInode {
    const parts = splitPath(entry.link);
    const name = parts.pop() ?? "";
    const target = findFolder(root, parts, undefined)?.children.get(name)?.inode;
    if (target === undefined || target.kind === "directory") {
        const what = `${printable(entry.path)} in layer ${layer + 1} is a hard link to ${printable(entry.link)}`;
        throw new TypeError(`${what}, which is ${target === undefined ? "not there" : "a folder"}`);
    }
    return target;
}

function toLeaf(entry: TarEntry, offset: number, layer: number): LeafInode {
    if (entry.kind === "directory" || entry.kind === "hardlink") {
        throw new TypeError(`${entry.kind} is no leaf`);
    }
    return { kind: entry.kind, entry, layer, offset };
}

/** No tool that makes images writes such paths, only somebody who wants to write elsewhere. */
function splitPath(path: string): string[] {
    const parts = path.split("/").filter((part) => part !== "" && part !== ".");
    if (parts.includes("..")) {
        throw new TypeError(`${printable(path)} leads out of the image`);
    }
    return parts;
}
