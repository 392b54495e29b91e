import { compareFileLists, describeFileChanges } from "../context/fileChanges";
import { decodeFileList, type FileList } from "../context/fileList";
import type { Content } from "./contentHash";
import type { PropertyChange } from "./lifecycle";
import type { Properties } from "./values";

/**
 * Says in one line why a platform is built again: the files that changed, and the inputs that did. It is what a preview
 * shows on the row of the resource.
 */
export function describeReasons(
    old: { readonly outputs: Properties },
    changes: Readonly<Record<string, PropertyChange>>,
    content: Content | undefined,
): string {
    const inputs = Object.entries(changes).map(([path, change]) => `${path} ${words[change]}`);
    const files = describeFiles(old.outputs["contextFiles"], content?.files);
    const baseImages = describeBaseImages(old.outputs["baseImages"], content?.baseImages);
    const reasons = [...(files === undefined ? [] : [files]), ...baseImages, ...inputs];
    return `builds again: ${reasons.length > 0 ? reasons.join("; ") : "the content is another"}`;
}

const words: Readonly<Record<PropertyChange, string>> = {
    add: "added",
    "add-replace": "added",
    delete: "removed",
    "delete-replace": "removed",
    update: "changed",
    "update-replace": "changed",
};

function describeFiles(old: unknown, next: FileList | undefined): string | undefined {
    const known = typeof old === "string" ? decodeFileList(old) : undefined;
    if (known === undefined || next === undefined) {
        return undefined;
    }
    const changes = describeFileChanges(compareFileLists(known, next));
    return changes === "" ? undefined : changes;
}

function describeBaseImages(old: unknown, next: Readonly<Record<string, string>> | undefined): string[] {
    const known = (old ?? {}) as Readonly<Record<string, string>>;
    return Object.entries(next ?? {})
        .filter(([ref, digest]) => known[ref] !== undefined && known[ref] !== digest)
        .map(([ref, digest]) => `the base image ${ref} is new: ${digest}`);
}
