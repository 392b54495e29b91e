/** Throws on a Node that is too old. The libraries would fail there with errors that do not tell why: load them later. */
export function assertNode(): void {
    const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
    if (major < 22 || (major === 22 && minor < 19)) {
        throw new Error(
            `pulumi-multiarch needs Node 22.19 or newer, and the node on PATH is ${process.versions.node}. ` +
                "Put a newer one first on PATH and run the command again.",
        );
    }
}
