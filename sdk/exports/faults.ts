import { MultiArchError, type ErrorFields } from "../errors";

const nextSteps: Readonly<Record<string, string>> = {
    ENOSPC: "Free space on this disk. Besides the export itself, tar and local need room for all layers unpacked.",
    EDQUOT: "Free space: the quota of this user is used up.",
    EACCES: "Give the user that runs up the right to write there, or choose another dest.",
    EPERM: "Give the user that runs up the right to write there, or choose another dest.",
    EROFS: "Choose a dest on a disk that can be written.",
    EISDIR: "There is a folder of this name. Choose another dest, or move the folder away.",
    ENOTEMPTY: "There is a folder of this name. Choose another dest, or move the folder away.",
    ENOTDIR: "A part of the path is a file. Choose another dest, or move the file away.",
    EEXIST: "This disk takes two names of the image for one. Export it on a disk that tells upper from lower case.",
    ENAMETOOLONG: "Choose a shorter dest, or a disk that takes longer names.",
    ELOOP: "The path leads through too many links. Choose another dest.",
    EXDEV: "A part of dest is on another disk. Choose a dest that is on one.",
};

/** Words for what the system says. */
const reasons: Readonly<Record<string, string>> = {
    ENOSPC: "the disk is full",
    EDQUOT: "the quota is used up",
    EACCES: "the user may not write there",
    EPERM: "the user may not write there",
    EROFS: "the disk is read-only",
    EISDIR: "a folder is in its place",
    ENOTEMPTY: "a folder is in its place",
    ENOTDIR: "a file is in the place of a folder",
    EEXIST: "two files of the image have the same name on this disk",
    ENAMETOOLONG: "a name is too long",
    ELOOP: "there are too many links on the way",
    EXDEV: "it would be on two disks",
};

/** What an export is about, for its errors. */
export type ExportPlace = Required<Pick<ErrorFields, "property">> & {
    readonly path: string;
    readonly platform?: string | undefined;
};

/**
 * Tells what goes wrong while a file or folder is written: which one, where the program names it, and the next step.
 * Errors of the registry say enough themselves.
 */
export async function inPlace<Result>(
    place: ExportPlace,
    work: () => Promise<Result>,
    signal?: AbortSignal,
): Promise<Result> {
    const { path, property, platform } = place;
    try {
        return await work();
    } catch (error) {
        if (error instanceof MultiArchError) {
            const isOurs = error.code === "export-failed" && error.fields.property === undefined;
            throw isOurs ? error.with({ property, platform, what: `${path}: ${error.fields.what}` }) : error;
        }
        if (signal?.aborted === true) {
            const what = `${path} was not written to its end`;
            throw new MultiArchError("build-cancelled", { what, property, platform, cause: error });
        }
        if (error instanceof TypeError) {
            throw new MultiArchError("export-failed", {
                what: `${path} cannot be written: ${error.message}`,
                property,
                platform,
                cause: error,
            });
        }
        const code = error instanceof Error && "code" in error ? String(error.code) : "";
        if (code === "" || !(error instanceof Error && "syscall" in error)) {
            throw error;
        }
        const next = nextSteps[code];
        throw new MultiArchError("export-failed", {
            what: `${path} cannot be written: ${reasons[code] ?? "the system refuses it"} (${code})`,
            property,
            platform,
            ...(next === undefined ? {} : { next }),
            cause: error,
        });
    }
}
