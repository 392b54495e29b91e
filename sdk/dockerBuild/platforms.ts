import { formatPlatform, parsePlatform } from "../platform";

/**
 * The platforms that `docker_build.Image` has names for, of those an image can be built for. It has no variants.
 * https://www.pulumi.com/registry/packages/docker-build/api-docs/image/#platform
 */
export const dockerBuildPlatforms = [
    "darwin/amd64",
    "darwin/arm64",
    "freebsd/386",
    "freebsd/amd64",
    "linux/386",
    "linux/amd64",
    "linux/arm",
    "linux/arm64",
    "linux/mips64",
    "linux/mips64le",
    "linux/ppc64le",
    "linux/riscv64",
    "linux/s390x",
    "windows/386",
    "windows/amd64",
] as const;

/** A platform by the name that `docker_build.Image` has for it. */
export type DockerBuildPlatform = (typeof dockerBuildPlatforms)[number];

/** The name that docker-build has for a platform; undefined when it has none. */
export function toDockerBuildPlatform(platform: string): DockerBuildPlatform | undefined {
    const wanted = formatPlatform(parsePlatform(platform));
    return dockerBuildPlatforms.find((name) => formatPlatform(parsePlatform(name)) === wanted);
}
