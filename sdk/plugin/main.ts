import { assertNode } from "../nodeVersion";

/**
 * The entry of the plugin. The engine starts it with its own address as the last argument, and reads the port from the
 * first line it prints: nothing else may be printed before.
 */
async function main(): Promise<void> {
    assertNode();
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

main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
});
