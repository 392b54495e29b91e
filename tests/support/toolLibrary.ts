/**
 * What starts registries and builders, shared with `npm start`. They are ES modules, which ts-node's loader can only
 * take by a dynamic import.
 */
export async function loadTools() {
    const [binfmt, buildkitd, certificates, processes, registry, standIns, toolchain] = await Promise.all([
        import("../../tools/lib/binfmt.mjs"),
        import("../../tools/lib/buildkitd.mjs"),
        import("../../tools/lib/certificates.mjs"),
        import("../../tools/lib/processes.mjs"),
        import("../../tools/lib/registry.mjs"),
        import("../../tools/lib/standins.mjs"),
        import("../../tools/lib/toolchain.mjs"),
    ]);
    return { ...binfmt, ...buildkitd, ...certificates, ...processes, ...registry, ...standIns, ...toolchain };
}
