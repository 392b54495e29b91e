import type * as pulumi from "@pulumi/pulumi";

import { cleanDest, exportKinds, type ExportKind } from "../exports/targets";
import { unpackContents, type WrittenTarget } from "../exports/written";
import type { ImageExportArgs } from "./imageExport";
import { unknownValue, type Properties } from "./values";

/** The inputs of an `ImageExport` as they are in the state. */
export type ImageExportInputs = pulumi.Unwrap<ImageExportArgs>;

/** The kind of an export, and what it says. */
export interface ChosenExport {
    readonly kind: ExportKind;
    /** As it is written, and not known in some previews. */
    readonly dest: string;
    readonly tar: boolean;
    readonly names: readonly string[] | undefined;
}

/** What is written. Fails where nothing is chosen, which the checks of the inputs have refused. */
export function readChoice(inputs: Properties): ChosenExport {
    const kind = exportKinds.find((name) => inputs[name] !== undefined);
    if (kind === undefined) {
        throw new TypeError("there is no kind of export");
    }
    const chosen = inputs[kind];
    if (chosen === unknownValue) {
        return { kind, dest: unknownValue, tar: true, names: undefined };
    }
    const { dest, tar = true, names } = chosen as { dest: string; tar?: boolean; names?: string[] };
    return { kind, dest, tar, names };
}

/** The path that an export is known by. */
export function destOf(inputs: Properties): string {
    const { dest } = readChoice(inputs);
    return dest === unknownValue ? dest : cleanDest(dest);
}

/** What a state says was written. */
export function readWritten(outputs: Properties): WrittenTarget[] {
    const contents = unpackContents(outputs["contents"]);
    const files = (outputs["files"] ?? []) as Omit<WrittenTarget, "contents">[];
    return files.map((file) => ({ ...file, contents: contents[file.path] ?? { kind: "file" } }));
}

/** Where the program names the path, for problems and errors. */
export function propertyOf({ property }: ImageExportInputs, kind: ExportKind): string {
    return `${property === undefined ? "" : `${property}.`}${kind}.dest`;
}
