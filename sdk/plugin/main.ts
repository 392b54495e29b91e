/**
 * The entry of the plugin. The engine starts it with its own address as the last argument, and reads the port from the
 * first line it prints: nothing else may be printed before.
 */
async function main(): Promise<void> {
    assertNode();
    // Loaded only now: on an old Node the libraries fail with errors that do not tell why.
    const { startPlugin } = await import("./server.js");
    // The engine may put its own logging flags before the address.
    const engineAddress = process.argv
        .slice(2)
        .filter((argument) => !argument.startsWith("-"))
        .pop();
    const stop = (): void => {
        void plugin.stop().finally(() => process.exit(0));
    };
    const plugin = await startPlugin(engineAddress, stop);
    process.on("SIGINT", stop);
    process.on("SIGTERM", stop);
    process.on("SIGHUP", stop);
    process.stdout.write(`${plugin.port}\n`);
}

function assertNode(): void {
    const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
    if (major < 22 || (major === 22 && minor < 19)) {
        throw new Error(
            `pulumi-multiarch needs Node 22.19 or newer, and the node on PATH is ${process.versions.node}. ` +
                "Put a newer one first on PATH and run the command again.",
        );
    }
}

main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
});
