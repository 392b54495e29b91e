import type { FileList } from "./fileList";

/** How one list differs from another, each part sorted. */
export interface FileChanges {
    readonly added: readonly string[];
    readonly changed: readonly string[];
    readonly removed: readonly string[];
}

/** What is new, other, or gone in the second list. */
export function compareFileLists(old: FileList, current: FileList): FileChanges {
    const names = [...current.keys()];
    return {
        added: names.filter((name) => !old.has(name)).sort(),
        changed: names.filter((name) => old.has(name) && old.get(name) !== current.get(name)).sort(),
        removed: [...old.keys()].filter((name) => !current.has(name)).sort(),
    };
}

/**
 * Says what has changed, in one line: `3 files changed: go.mod, main.go, and 1 more; 1 added: x.txt`. At most `limit`
 * names are in it, shared out evenly. Empty when nothing has changed.
 */
export function describeFileChanges({ changed, added, removed }: FileChanges, limit = 10): string {
    const groups = Object.entries({ changed, added, removed }).filter(([, names]) => names.length > 0);
    const shares = shareOut(
        limit,
        groups.map(([, names]) => names.length),
    );
    return groups
        .map(([verb, names], index) => {
            const shown = names.slice(0, shares[index]).map(showName);
            const left = names.length - shown.length;
            const parts = [...shown, ...(left > 0 && shown.length > 0 ? [`and ${left} more`] : [])];
            const noun = index > 0 ? "" : names.length === 1 ? " file" : " files";
            return `${names.length}${noun} ${verb}${parts.length > 0 ? `: ${parts.join(", ")}` : ""}`;
        })
        .join("; ");
}

/** One for each in turn, until all have enough or none is left. */
function shareOut(limit: number, wanted: readonly number[]): number[] {
    const shares = wanted.map(() => 0);
    for (let left = limit; left > 0;) {
        const open = wanted.flatMap((count, index) => ((shares[index] ?? 0) < count ? [index] : []));
        if (open.length === 0) {
            break;
        }
        for (const index of open.slice(0, left)) {
            shares[index] = (shares[index] ?? 0) + 1;
        }
        left -= open.length;
    }
    return shares;
}

/** A name is anybody's text: what would not be seen as it is on a terminal is escaped. */
function showName(name: string): string {
    const shown = name.replace(
        /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
        (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
    );
    return /^\s|\s$|[,;"]|^$/.test(shown) ? `"${shown}"` : shown;
}
