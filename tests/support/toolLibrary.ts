/**
 * What starts registries and builders, shared with `npm start`. They are ES modules, which ts-node's loader can only
 * take by a dynamic import.
 */
export async function loadTools() {
    const modules = await Promise.all([
        import("../../tools/lib/binfmt.mjs"),
        import("../../tools/lib/buildkitd.mjs"),
        import("../../tools/lib/cacheServers.mjs"),
        import("../../tools/lib/certificates.mjs"),
        import("../../tools/lib/docker.mjs"),
        import("../../tools/lib/dockerd.mjs"),
        import("../../tools/lib/daemon.mjs"),
        import("../../tools/lib/hostRoot.mjs"),
        import("../../tools/lib/moto.mjs"),
        import("../../tools/lib/processes.mjs"),
        import("../../tools/lib/registry.mjs"),
        import("../../tools/lib/sshd.mjs"),
        import("../../tools/lib/standins.mjs"),
        import("../../tools/lib/system.mjs"),
        import("../../tools/lib/toolchain.mjs"),
    ]);
    const [binfmt, buildkitd, caches, certificates, docker, dockerd, daemon, hostRoot, moto, ...others] = modules;
    const [processes, registry, sshd, standIns, system, toolchain] = others;
    const daemons = { ...daemon, ...buildkitd, ...caches, ...dockerd, ...hostRoot, ...moto, ...registry, ...sshd };
    return { ...binfmt, ...certificates, ...daemons, ...docker, ...processes, ...standIns, ...system, ...toolchain };
}
