import { isTrue, type Draft } from "./build";
import { findEpoch } from "./buildArgs";
import { readAttributes, readCsv, type Attributes } from "./fields";
import type { Value } from "./program";
import { hasReference } from "./references";

/** Where the image goes: repositories and tags, whether it is pushed, how layers are compressed, files that hold it. */
export function convertDestination(draft: Draft): void {
    const outputs = readOutputs(draft);
    const images = outputs.filter(isImage);
    convertNames(draft, images);
    convertCompression(draft, images);
    convertExports(draft, outputs);
    if (!isPushed(draft)) {
        draft.set("push", false);
        draft.note("Nothing is pushed, as before: take push: false out to push an index and move its tags.");
    }
}

/** Whether the build pushes: by a switch of its own, or by what it says of its output. */
export function isPushed(draft: Draft): boolean {
    const images = readOutputs(draft).filter(isImage);
    return draft.isOn("push") || images.some((output) => output.type === "registry" || pushes(output));
}

interface OutputPlace {
    readonly type: string;
    readonly attributes: Attributes;
}

function readOutputs(draft: Draft): OutputPlace[] {
    return draft.all("output").flatMap((text) => (text === "" ? [] : [readOutput(text)]));
}

function isImage({ type }: OutputPlace): boolean {
    return type === "image" || type === "registry";
}

/** Mirrors https://github.com/docker/buildx/blob/v0.35.0/util/buildflags/export.go (UnmarshalText). */
function readOutput(text: string): OutputPlace {
    const fields = readCsv(text);
    if (fields.length === 1 && fields[0] === text && !text.startsWith("type=")) {
        return { type: text === "-" ? "tar" : "local", attributes: new Map([["dest", text]]) };
    }
    const attributes = readAttributes(text);
    return { type: attributes.get("type") ?? "", attributes };
}

function pushes({ attributes }: OutputPlace): boolean {
    return isTrue(attributes.get("push") ?? "false");
}

/** Repositories and tags. The same tags go to all repositories. */
function convertNames(draft: Draft, images: readonly OutputPlace[]): void {
    const names = images
        .flatMap(({ attributes }) => readCsv(attributes.get("name") ?? ""))
        .filter((name) => name !== "");
    const option = draft.all("tag").length > 0 ? "tag" : "output";
    const given = [...draft.all("tag"), ...names];
    if (given.length === 0) {
        const remedy = "An image has a repository here: -t registry.example.com/team/app:1.0";
        draft.refuseOption("tag", `is missing, and so is where the image goes. ${remedy}`);
        return;
    }
    const repositories = new Map<string, string[]>();
    for (const name of given) {
        const { repository, tag } = splitName(name);
        if (tag === undefined) {
            const reason =
                "may hold a tag in a variable. Write the tag out, or as a variable of its own behind a colon";
            draft.refuseOption(option, reason);
        } else if (repository.includes("@")) {
            draft.refuseOption(option, "names a digest, which is known only after the build. Name a tag");
        } else {
            repositories.set(repository, [...new Set([...(repositories.get(repository) ?? []), tag])]);
        }
    }
    const [first, ...others] = [...repositories.entries()];
    if (first === undefined) {
        return;
    }
    const [repository, tags] = first;
    for (const [other, otherTags] of others) {
        if ([...otherTags].sort().join() !== [...tags].sort().join()) {
            const shown = hasReference(other) ? "another repository" : other;
            const remedy = "Give all of them the same tags, or use an ImageCopy for each of the others";
            draft.refuseOption(option, `gives ${shown} other tags than the first repository. ${remedy}`);
        }
    }
    draft.set("repository", repository);
    draft.set("tags", tags.length === 1 && tags[0] === "latest" ? undefined : tags);
    draft.set(
        "additionalRepositories",
        others.map(([other]) => other),
    );
}

/** Without a tag, docker means `latest`. The tag is undefined where a variable may hold it. */
function splitName(name: string): { repository: string; tag: string | undefined } {
    const colon = name.indexOf(":", name.lastIndexOf("/") + 1);
    if (colon >= 0) {
        return { repository: name.slice(0, colon), tag: name.slice(colon + 1) };
    }
    const last = name.slice(name.lastIndexOf("/") + 1);
    return { repository: name, tag: hasReference(last) ? undefined : "latest" };
}

const imageAttributes = new Set([
    ...["type", "name", "push", "compression", "compression-level", "force-compression", "rewrite-timestamp"],
    // Neither is of use to an index that is pushed.
    ...["unpack", "store"],
]);

/** What else the exporter of images takes: https://github.com/moby/buildkit/blob/v0.31.1/exporter/containerimage/export.go */
function convertCompression(draft: Draft, images: readonly OutputPlace[]): void {
    for (const { attributes } of images) {
        const level = attributes.get("compression-level");
        draft.set("compression", attributes.get("compression"));
        draft.set("compressionLevel", level === undefined ? undefined : Number(level));
        draft.set("forceCompression", isTrue(attributes.get("force-compression") ?? "false") ? true : undefined);
        if (isTrue(attributes.get("rewrite-timestamp") ?? "false") && findEpoch(draft) === undefined) {
            draft.refuseOption(
                "output",
                "needs SOURCE_DATE_EPOCH beside it, which becomes sourceDateEpoch",
                "rewrite-timestamp",
            );
        }
        for (const [name, value = ""] of attributes) {
            if (name === "push-by-digest" && isTrue(value)) {
                const remedy = "Name the tags that the index gets, and merge the commands of all platforms into one";
                draft.refuseOption("output", `is what this package does for each platform by itself. ${remedy}`, name);
            } else if (name === "oci-mediatypes" && !isTrue(value)) {
                draft.refuseOption("output", "is false, and only OCI media types are pushed here. Leave it out", name);
            } else if (!isKnown(name)) {
                draft.refuseOption("output", "has no input here. Leave it out", name);
            }
        }
    }
}

function isKnown(name: string): boolean {
    const always = ["oci-mediatypes", "push-by-digest", "name-canonical"];
    return imageAttributes.has(name) || always.includes(name) || /^annotation(-|\.)/.test(name);
}

const fileTypes = ["oci", "docker", "tar", "local"];

/** Files and folders that hold the image, or what is in it. */
function convertExports(draft: Draft, outputs: readonly OutputPlace[]): void {
    const files = outputs.filter(({ type }) => !["image", "registry", "cacheonly"].includes(type));
    const isLoaded =
        draft.isOn("load") || files.some(({ type, attributes }) => type === "docker" && !attributes.get("dest"));
    if (isLoaded) {
        const option = draft.isOn("load") ? "load" : "output";
        const reason = "puts an image into the docker of this machine, for which pulling the digest is enough";
        draft.refuseOption(option, `${reason}. Push it, and run: docker pull <ref of the image>`);
    }
    const exports = files.flatMap((output): Value[] => {
        const { type, attributes } = output;
        const dest = attributes.get("dest");
        if (!fileTypes.includes(type)) {
            draft.refuseOption("output", `has the type "${type}". There is image, registry, ${fileTypes.join(", ")}`);
        } else if (dest === "-") {
            draft.refuseOption("output", "goes to the standard output, which a program has not. Name a file", "dest");
        } else if (dest !== undefined && !isPushed(draft)) {
            draft.refuseOption(
                "output",
                `writes ${type} without a push. Here files are made of what is pushed: add --push`,
            );
        } else if (dest !== undefined) {
            return [{ [type]: { dest: draft.path(dest), ...archive(draft, output) } }];
        }
        return [];
    });
    draft.set("exports", exports);
}

/** What an archive is like. Folders and plain archives are split by platform here, always. */
function archive(draft: Draft, { type, attributes }: OutputPlace): Readonly<Record<string, Value>> {
    const isArchive = type === "oci" || type === "docker";
    const known = ["type", "dest", ...(isArchive ? ["tar", "name"] : [])];
    for (const [name, value = ""] of attributes) {
        if (!known.includes(name) && !(name === "platform-split" && isTrue(value))) {
            draft.refuseOption("output", "has no input here. Leave it out", name);
        }
    }
    const names = readCsv(attributes.get("name") ?? "").filter((name) => name !== "");
    return {
        ...(isArchive && attributes.get("tar") === "false" ? { tar: false } : {}),
        ...(isArchive && names.length > 0 ? { names } : {}),
    };
}
