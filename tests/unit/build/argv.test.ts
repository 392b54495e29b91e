import assert from "node:assert/strict";
import { buildArgv, createBuilderArgv, inspectBuilderArgv } from "../../../sdk/build/argv";
import { addProxies, findBuildArgProblems, routeBuildArgs } from "../../../sdk/build/buildArgs";
import { buildxEnvironment, isReservedName } from "../../../sdk/build/environment";
import { requestOf } from "./testRequests";

const files = { metadata: "/private/metadata.json", secrets: {} };

/** The value that follows a flag. */
function valuesOf(args: readonly string[], flag: string): string[] {
    return args.flatMap((arg, position) => (args[position - 1] === flag ? [arg] : []));
}

describe("the arguments of a build", () => {
    it("push one platform by digest and nothing else", () => {
        assert.deepEqual(buildArgv(requestOf(), files), {
            args: [
                "build",
                ...["--builder", "multiarch"],
                ...["--platform", "linux/arm64"],
                ...["--progress", "rawjson"],
                ...["--metadata-file", "/private/metadata.json"],
                "--output",
                "type=image,name=registry.example.com/team/app,push-by-digest=true,name-canonical=true,push=true,oci-mediatypes=true",
                "--provenance=false",
                "--sbom=false",
                "--",
                "./app",
            ],
            env: {},
        });
    });

    it("carry everything a request can have", () => {
        const request = requestOf({
            dockerfile: { location: "build/Dockerfile" },
            target: "final",
            secretFiles: { npmrc: "../.npmrc" },
            options: {
                labels: { "org.example": "a=b, c" },
                annotations: { "org.example:x": "note" },
                network: "none",
                addHosts: ["db:10.0.0.7"],
                ssh: [{ id: "default" }, { id: "git", paths: ["id_a"], key: "PEM" }],
                noCache: true,
                noCacheFilters: ["test"],
                ulimits: [
                    { name: "nofile", soft: 1024 },
                    { name: "core", soft: 0, hard: -1 },
                ],
                shmSize: "256m",
                cgroupParent: "/builds",
                resources: { memory: "2g" },
                allow: ["network.host"],
                sourceDateEpoch: 17,
                compression: "zstd",
                compressionLevel: 3,
                forceCompression: true,
            },
            context: { location: "https://example.com/x.git#main", named: { data: { location: "../data" } } },
            secrets: { npm: "t0ken" },
        });
        const { args } = buildArgv(request, {
            ...files,
            secrets: { npm: '/private/a,"b' },
            sshKeys: { 1: "/private/ssh/1" },
        });
        assert.deepEqual(valuesOf(args, "--file"), ["build/Dockerfile"]);
        assert.deepEqual(valuesOf(args, "--target"), ["final"]);
        assert.deepEqual(valuesOf(args, "--label"), ["org.example=a=b, c"]);
        assert.deepEqual(valuesOf(args, "--build-context"), ["data=../data"]);
        assert.deepEqual(valuesOf(args, "--secret"), ['id=npm,"src=/private/a,""b"', "id=npmrc,src=../.npmrc"]);
        assert.deepEqual(valuesOf(args, "--annotation"), ["manifest:org.example:x=note"]);
        assert.deepEqual(valuesOf(args, "--network"), ["none"]);
        assert.deepEqual(valuesOf(args, "--add-host"), ["db:10.0.0.7"]);
        assert.deepEqual(valuesOf(args, "--ssh"), ["default", "git=id_a,/private/ssh/1"]);
        assert.ok(args.includes("--no-cache"));
        assert.deepEqual(valuesOf(args, "--no-cache-filter"), ["test"]);
        assert.deepEqual(valuesOf(args, "--ulimit"), ["nofile=1024:1024", "core=0:-1"]);
        assert.deepEqual(valuesOf(args, "--shm-size"), ["256m"]);
        assert.deepEqual(valuesOf(args, "--cgroup-parent"), ["/builds"]);
        assert.deepEqual(valuesOf(args, "--resource"), ["memory=2g"]);
        assert.deepEqual(valuesOf(args, "--allow"), ["network.host"]);
        assert.deepEqual(valuesOf(args, "--build-arg"), ["SOURCE_DATE_EPOCH=17"]);
        assert.match(
            valuesOf(args, "--output")[0] ?? "",
            /rewrite-timestamp=true,compression=zstd,compression-level=3,force-compression=true$/,
        );
        assert.equal(args.at(-1), "https://example.com/x.git#main");
    });

    it("push nothing where that is wanted", () => {
        const { args } = buildArgv(requestOf({ options: { push: false } }), files);
        assert.deepEqual(valuesOf(args, "--output"), ["type=cacheonly"]);
    });

    it("take the private Dockerfile where its text is given", () => {
        const request = requestOf({ dockerfile: { inline: "FROM scratch" } });
        const { args } = buildArgv(request, { ...files, dockerfile: "/private/dockerfile/Dockerfile" });
        assert.deepEqual(valuesOf(args, "--file"), ["/private/dockerfile/Dockerfile"]);
        assert.equal(args.join(" ").includes("FROM scratch"), false);
    });

    it("never read a path as a flag or as the standard input", () => {
        for (const [location, given] of [
            ["--push", "--push"],
            ["-", "./-"],
        ]) {
            const request = requestOf({ context: { location: location ?? "" }, dockerfile: { location: "-" } });
            const { args } = buildArgv(request, files);
            assert.deepEqual(args.slice(-2), ["--", given]);
            assert.deepEqual(valuesOf(args, "--file"), ["./-"]);
        }
    });

    it("name build arguments, and leave their values to the environment", () => {
        const { args, env } = buildArgv(requestOf({ buildArgs: { VERSION: "1.2", EMPTY: "" } }), files);
        assert.deepEqual(valuesOf(args, "--build-arg"), ["VERSION", "EMPTY"]);
        assert.deepEqual(env, { VERSION: "1.2", EMPTY: "" });
    });
});

describe("the arguments that make a builder known", () => {
    const { node } = requestOf();
    const tls = { ca: "/p/ca.pem", cert: "/p/cert.pem", key: "/p/key,1.pem" };

    it("name the one platform, and the files of mutual TLS", () => {
        assert.deepEqual(createBuilderArgv({ ...node, serverName: "buildkit.internal" }, tls), [
            "create",
            ...["--name", "multiarch"],
            ...["--driver", "remote"],
            "--driver-opt",
            'cacert=/p/ca.pem,cert=/p/cert.pem,"key=/p/key,1.pem",servername=buildkit.internal',
            ...["--platform", "linux/arm64"],
            "--",
            "tcp://10.0.0.7:1234",
        ]);
    });

    it("have no options for a builder without TLS", () => {
        assert.equal(createBuilderArgv(node).includes("--driver-opt"), false);
        assert.deepEqual(inspectBuilderArgv(), ["inspect", "--bootstrap", "multiarch"]);
    });
});

describe("a build argument", () => {
    for (const name of [
        "PATH",
        "home",
        "http_proxy",
        "DOCKER_HOST",
        "BUILDX_BUILDER",
        "BUILDKIT_SYNTAX",
        "SSL_CERT_FILE",
        "GODEBUG",
        "LD_PRELOAD",
        "AWS_PROFILE",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "TMPDIR",
        "GIT_DIR",
        "SSH_AUTH_SOCK",
        "EXPERIMENTAL_BUILDKIT_SOURCE_POLICY",
        "KUBECONFIG",
    ]) {
        it(`${name} does not get into the environment of buildx`, () => {
            const { flags, env } = routeBuildArgs(requestOf({ buildArgs: { [name]: "value" } }));
            assert.deepEqual([flags, env], [[`${name}=value`], {}]);
        });
    }

    for (const name of ["VERSION", "GOPROXY", "NPM_TOKEN", "GOFLAGS", "CGO_ENABLED", "SOURCE_DATE_EPOCH", "Path_to"]) {
        it(`${name} does`, () => {
            assert.equal(isReservedName(name), false);
        });
    }

    it("that is a secret proxy travels in docker's configuration", () => {
        const proxy = "http://user:hunter22@proxy:3128";
        const request = requestOf({ buildArgs: { HTTPS_PROXY: proxy, NO_PROXY: "internal" }, redact: ["hunter22"] });
        const { flags, env, proxies } = routeBuildArgs(request);
        assert.deepEqual(flags, ["NO_PROXY=internal"]);
        assert.deepEqual(env, {});
        assert.deepEqual(JSON.parse(addProxies('{"auths":{"r":{"auth":"x"}}}', proxies)), {
            auths: { r: { auth: "x" } },
            proxies: { default: { httpsProxy: proxy } },
        });
        assert.deepEqual(findBuildArgProblems(request), []);
    });

    it("leaves docker's configuration alone when there is no such proxy", () => {
        assert.equal(addProxies("{ }", {}), "{ }");
    });

    it("is refused when it is a secret that could not be kept out of argv", () => {
        const buildArgs = { DOCKER_TOKEN: "hunter22", NPM_TOKEN: "hunter22" };
        const problems = findBuildArgProblems(requestOf({ buildArgs, redact: ["hunter22"] }));
        assert.deepEqual(
            problems.map(({ property }) => property),
            ["buildArgs.DOCKER_TOKEN"],
        );
    });

    it("is not taken for a secret because it holds a short one", () => {
        const buildArgs = { BUILDKIT_INLINE_CACHE: "11" };
        assert.deepEqual(findBuildArgProblems(requestOf({ buildArgs, redact: ["1"] })), []);
    });

    it("is refused when no process could be given it", () => {
        const buildArgs = { "A B": "x", "C=D": "x", NUL: "a\0b", LONG: "x".repeat(128 * 1024) };
        assert.deepEqual(
            findBuildArgProblems(requestOf({ buildArgs })).map(({ property }) => property),
            ["buildArgs.A B", "buildArgs.C=D", "buildArgs.NUL", "buildArgs.LONG"],
        );
    });
});

describe("a secret", () => {
    it("may hold anything up to what BuildKit takes", () => {
        assert.deepEqual(findBuildArgProblems(requestOf({ secrets: { a: "line\nline\0" } })), []);
        const problems = findBuildArgProblems(requestOf({ secrets: { big: "x".repeat(500 * 1024 + 1), "": "x" } }));
        assert.deepEqual(
            problems.map(({ property }) => property),
            ["secrets.big", "secrets."],
        );
    });
});

describe("the environment of buildx", () => {
    it("has what reaches registries and builders, and nothing that changes a build", () => {
        const machine = {
            PATH: "/bin",
            HTTPS_PROXY: "http://proxy",
            AWS_PROFILE: "ci",
            BUILDX_BUILDER: "mine",
            SOURCE_DATE_EPOCH: "0",
            BUILDKIT_PROGRESS: "plain",
            DOCKER_CONFIG: "/home/me/.docker",
            NPM_TOKEN: "t0ken",
            UNSET: undefined,
        };
        const env = buildxEnvironment(machine, {
            dockerConfig: "/p/docker",
            buildxConfig: "/p/buildx",
            temporary: "/p/tmp",
        });
        assert.deepEqual(env, {
            PATH: "/bin",
            HTTPS_PROXY: "http://proxy",
            AWS_PROFILE: "ci",
            BUILDX_NO_DEFAULT_ATTESTATIONS: "1",
            BUILDX_METADATA_PROVENANCE: "disabled",
            BUILDX_METADATA_WARNINGS: "0",
            BUILDX_GIT_INFO: "0",
            BUILDX_GIT_LABELS: "0",
            DOCKER_CLI_HINTS: "false",
            DOCKER_CONFIG: "/p/docker",
            BUILDX_CONFIG: "/p/buildx",
            TMPDIR: "/p/tmp",
        });
    });
});
