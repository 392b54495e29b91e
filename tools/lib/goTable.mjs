/**
 * @typedef {object} GoTool
 * @property {string} name the command, and the file in the cache
 * @property {string} module the folder below tools/go whose go.mod pins it
 * @property {string} package
 * @property {string} version what the pin builds; also linked in, because a plain build reports none
 * @property {string[]} variables Go variables that take `version`
 * @property {string} [flags] other linker flags
 * @property {string} expect how long the build takes on two cores with nothing cached
 * @property {{ commands: string[], versionArgs: string[], match: RegExp, min: string }} [own]
 *     what makes the user's own good enough
 * @property {string} [beside] the tool it belongs to: the user's own counts only in the folder of that one
 */

/** @type {readonly GoTool[]} */
export const goTools = [
    {
        name: "buildkitd",
        module: "buildkit",
        package: "github.com/moby/buildkit/cmd/buildkitd",
        version: "v0.31.1",
        variables: ["github.com/moby/buildkit/version.Version"],
        expect: "about 4 min the first time",
        own: {
            commands: ["buildkitd"],
            versionArgs: ["--version"],
            match: /^buildkitd \S+ v?(\d+\.\d+\.\d+)/,
            min: "0.28.1",
        },
    },
    {
        name: "buildctl",
        module: "buildkit",
        package: "github.com/moby/buildkit/cmd/buildctl",
        version: "v0.31.1",
        variables: ["github.com/moby/buildkit/version.Version"],
        expect: "about 10 s after buildkitd",
        own: {
            commands: ["buildctl"],
            versionArgs: ["--version"],
            match: /^buildctl \S+ v?(\d+\.\d+\.\d+)/,
            min: "0.28.1",
        },
    },
    {
        name: "buildx",
        module: "buildkit",
        package: "github.com/docker/buildx/cmd/buildx",
        version: "v0.35.0",
        variables: ["github.com/docker/buildx/version.Version"],
        expect: "about 1 min the first time",
        own: {
            commands: ["buildx", "docker-buildx"],
            versionArgs: ["version"],
            match: /^github\.com\/docker\/buildx v?(\d+\.\d+\.\d+)/,
            min: "0.19.0",
        },
    },
    {
        name: "registry",
        module: "registry",
        package: "github.com/distribution/distribution/v3/cmd/registry",
        version: "v3.1.2",
        variables: ["github.com/distribution/distribution/v3/version.version"],
        expect: "about 2 min the first time",
        own: {
            // Deleting a tag and leaving its manifest came with version 3. Before 3.1 two pushes of the same layer at once
            // could find its link half written.
            commands: ["registry", "docker-registry"],
            versionArgs: ["--version"],
            match: /distribution\S* v?(\d+\.\d+\.\d+)/,
            min: "3.1.0",
        },
    },
    {
        name: "pulumi",
        module: "pulumi",
        package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        version: "v3.259.0",
        variables: ["github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"],
        expect: "about 5 min the first time",
        own: {
            commands: ["pulumi"],
            versionArgs: ["version"],
            match: /^v?(\d+\.\d+\.\d+)/,
            min: "3.200.0",
        },
    },
    {
        name: "pulumi-language-yaml",
        module: "language-yaml",
        package: "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml",
        version: "v1.15.1",
        variables: ["github.com/pulumi/pulumi-yaml/pkg/version.Version"],
        expect: "about 1 min the first time",
        beside: "pulumi",
    },
    {
        name: "pulumi-language-nodejs",
        module: "language-nodejs",
        package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
        version: "v3.68.0",
        variables: ["github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"],
        expect: "about 30 s the first time",
        beside: "pulumi",
    },
];

/**
 * The Dockerfile frontend runs inside BuildKit, so it is built for each architecture and never taken from PATH.
 * @type {Readonly<GoTool>}
 */
export const frontend = {
    name: "dockerfile-frontend",
    module: "buildkit",
    package: "github.com/moby/buildkit/frontend/dockerfile/cmd/dockerfile-frontend",
    version: "v0.31.1",
    variables: ["github.com/moby/buildkit/version.Version"],
    expect: "about 1 min the first time",
};

/**
 * The provider behind `engine: "docker-build"`, which `bench/` measures ours against. Only tests and bench build it.
 * @type {Readonly<GoTool>}
 */
export const dockerBuild = {
    name: "pulumi-resource-docker-build",
    module: "docker-build",
    package: "github.com/pulumi/pulumi-docker-build/provider/cmd/pulumi-resource-docker-build",
    // Without the leading v: the provider wants a plain semantic version.
    version: "0.0.22",
    variables: ["github.com/pulumi/pulumi-docker-build/provider.Version"],
    expect: "about 2 min the first time",
};

/**
 * An S3 server that checks signatures, for the tests of the cache. Only they build it.
 * @type {Readonly<GoTool>}
 */
export const s3Server = {
    name: "versitygw",
    module: "s3",
    package: "github.com/versity/versitygw/cmd/versitygw",
    version: "v1.8.0",
    variables: ["main.Version"],
    expect: "about 2 min the first time",
};
