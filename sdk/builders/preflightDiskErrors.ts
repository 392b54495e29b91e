import * as grpc from "@grpc/grpc-js";
import { messageOf, type MultiArchError } from "../errors";
import type { BuilderNode } from "./node";
import { builderError } from "./preflightBudget";

// Go writes the call that failed before the path: "mkdir /var/lib/...: no space left on device".
const writesBytes = /\b(?:write|pwrite|copy_file_range|fallocate|truncate|sync|fsync|fdatasync) [^:]*: no space left/;

/** True when a file or a folder could not be made or written for want of space, or of inodes: the kernel calls both so. */
export function isOutOfSpace(error: unknown): boolean {
    return textOf(error).includes("no space left on device");
}

/** What is wrong with a builder that could not write a file, by what the kernel told the daemon. */
export function explainDisk(node: BuilderNode, error: unknown, full: "space" | "inodes" | undefined): MultiArchError {
    const text = textOf(error);
    const lines = [text];
    if (isOutOfSpace(error)) {
        return explainFull(node, lines, writesBytes.test(text) ? "space" : full);
    }
    if (text.includes("disk quota exceeded")) {
        const what = "the builder has used up its quota of the disk";
        return builderError(node, "builder-disk-full", what, {
            lines,
            next: "Raise the quota, or remove files there.",
        });
    }
    if (text.includes("read-only file system")) {
        return builderError(node, "builder-read-only", "the builder cannot write: its file system is read-only", {
            lines,
        });
    }
    if ((error as Partial<grpc.ServiceError>).code === grpc.status.UNAVAILABLE) {
        const what = "the builder closed the connection while it wrote a file";
        return builderError(node, "builder-unhealthy", what, { transient: true, cause: error });
    }
    const what = "the builder answers, but failed to write a file";
    return builderError(node, "builder-unhealthy", what, { lines, cause: error });
}

function explainFull(node: BuilderNode, lines: string[], full: "space" | "inodes" | undefined): MultiArchError {
    switch (full) {
        case "space":
            return builderError(node, "builder-disk-full", "the disk of the builder is full", { lines });
        case "inodes": {
            const what = "the disk of the builder has space, but no inodes left";
            return builderError(node, "builder-inodes-exhausted", what, { lines });
        }
        case undefined: {
            const what = "the disk of the builder is full: it has no space, or no inodes left";
            const next = "Look at df -h and df -i there, and free the one or the other.";
            return builderError(node, "builder-disk-full", what, { lines, next });
        }
    }
}

function textOf(error: unknown): string {
    return (error as Partial<grpc.ServiceError>).details ?? messageOf(error);
}
