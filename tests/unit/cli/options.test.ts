import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { buildFlags } from "../../../sdk/cli/convert/flags";
import { writeOptionsTable } from "../../../sdk/cli/convert/optionsTable";
import { loadSchema } from "../../../sdk/package";
import { convertMore } from "./runConvert";

// What an option becomes: the option, and lines of the program.
const carried: readonly (readonly [string, readonly string[]])[] = [
    ["--add-host db:10.0.0.7,web:10.0.0.8", ['addHosts: ["db:10.0.0.7", "web:10.0.0.8"]']],
    ["--allow network.host --allow buildx.local.delete", ['allow: ["network.host"]']],
    ["--annotation a=b", ['annotations: { manifest: { a: "b" } }']],
    ["--annotation index,manifest-descriptor:a=b", ['index: { a: "b" }, manifestDescriptor: { a: "b" }']],
    ["--attest type=sbom,generator=x", ['attestations: { provenance: "min", sbom: true, sbomGenerator: "x" }']],
    ["--attest type=provenance,mode=max", ['attestations: { provenance: "max" }']],
    ["--provenance=mode=max --sbom=true", ['attestations: { provenance: "max", sbom: true }']],
    ["--build-arg A=b=c", ['buildArgs: { A: "b=c" }']],
    ["--build-arg A", ["buildArgs: { A: a }", 'const a = config.require("a")']],
    ["--build-arg SOURCE_DATE_EPOCH=7", ["sourceDateEpoch: 7"]],
    ["--build-arg BUILDKIT_INLINE_CACHE=1", ["cache: { inline: {} }"]],
    ["--build-context x=../lib", ['named: { x: { location: "../lib" } }']],
    ["--build-context x=oci-layout://../lib:v", ['location: "oci-layout://../lib:v"']],
    [
        "--cache-from r.example.com/c,r.example.com/d",
        ['inline: { from: ["r.example.com/c", "r.example.com/d"] }, readOnly'],
    ],
    ["--cache-to type=inline", ["cache: { inline: {} }"]],
    [
        "--cache-to type=registry,ref=a,mode=max --cache-from type=registry,ref=a --cache-from type=local,src=b",
        ['registry: { ref: "a" }', 'from: [{ local: { directory: "b" } }]', "// Each platform reads its own scope"],
    ],
    ["--cache-to type=registry,ref=x,mode=max", ['cache: { registry: { ref: "x" }, ignoreError: false }']],
    [
        "--cache-to type=registry,ref=x,image-manifest=true",
        ['{ registry: { ref: "x" }, mode: "min", ignoreError: false }'],
    ],
    ["--cache-from type=local,src=c --cache-to type=local,dest=c,ignore-error=true", ['local: { directory: "c" }']],
    ["--builder mine", ['builders: { named: [{ name: "mine" }] }']],
    ["--cgroup-parent x", ['cgroupParent: "x"']],
    ["--file other/Dockerfile", ['dockerfile: { location: "other/Dockerfile" }']],
    ["--file ./Dockerfile --call build", ['context: { location: "." }']],
    ["--label a=b --label c=", ['labels: { a: "b", c: "" }']],
    ["--network host", ['network: "host"']],
    ["--no-cache", ["noCache: true", "// noCache runs every step again"]],
    ["--no-cache-filter a,b", ['noCacheFilters: ["a", "b"]']],
    [
        "-o type=image,name=r.example.com/b:latest,compression=zstd,compression-level=3",
        ['compression: "zstd"', "compressionLevel: 3"],
    ],
    ["-o type=oci,dest=a.tar,name=r.example.com/b:1", ['[{ oci: { dest: "a.tar", names: ["r.example.com/b:1"] } }]']],
    [
        "-o out -o type=oci,dest=b,tar=false",
        ['exports: [{ local: { dest: "out" } }, { oci: { dest: "b", tar: false } }]'],
    ],
    ["-o type=image,annotation-index.a=b", ['annotations: { index: { a: "b" } }']],
    ["--platform linux/arm64,linux/arm/v7", ['platforms: ["linux/amd64", "linux/arm64", "linux/arm/v7"]']],
    ["--pull", ["pull: true"]],
    ["--pull=false --quiet --progress plain --rm", ["new MultiArchImage"]],
    ["--resource cpu-quota=5 --memory 2g", ['resources: { memory: "2g", "cpu-quota": "5" }']],
    ["--secret id=a,src=f --secret id=b,env=B_VALUE", ["secrets: { b: bValue }", 'secretFiles: { a: "f" }']],
    ["--secret type=env,id=c", ["secrets: { c }", 'config.requireSecret("c")']],
    ["--shm-size 1g", ['shmSize: "1g"']],
    ["--ssh default=$SSH_AUTH_SOCK", ['ssh: [{ id: "default" }]']],
    ["--ssh default --ssh k=./id_a,./id_b", ['[{ id: "default" }, { id: "k", paths: ["./id_a", "./id_b"] }]']],
    [
        "-t r.example.com/app:2 -t q.example.com/app:2 -t q.example.com/app",
        ['additionalRepositories: ["q.example.com/app"]'],
    ],
    ["--target x", ['target: "x"']],
    ["--ulimit nofile=1:2 --ulimit core=-1", ['{ name: "nofile", soft: 1, hard: 2 }', '{ name: "core", soft: -1 }']],
    ["--squash", ["// squash has no effect in buildx either"]],
];

// What is refused: the option, and what is said of it.
const refused: readonly (readonly [string, RegExp])[] = [
    ["--add-host db", /--add-host: becomes addHosts\[0\], which "db" is not/],
    ["--annotation a", /a of --annotation: has no value/],
    ["--annotation 'manifest[linux/amd64]:a=b'", /a of --annotation: is for one platform only/],
    ["--annotation index-descriptor:a=b", /a of --annotation: has the level index-descriptor/],
    ["--attest type=vex", /--attest: has the type "vex"/],
    ["--provenance mode=max,builder-id=x", /builder-id of --provenance: has no input/],
    ["--build-arg A_TOKEN=x --provenance mode=max", /A_TOKEN of --build-arg: looks like a secret/],
    ["--build-context x=target:y", /--build-context: x is the result of another build/],
    ["--build-arg SOURCE_DATE_EPOCH=now", /SOURCE_DATE_EPOCH of --build-arg: is not a number/],
    ["--build-arg BUILDKIT_ATTEST_SBOM=1", /BUILDKIT_ATTEST_SBOM of --build-arg/],
    ["--call outline", /--call: asks about a Dockerfile/],
    ["--check", /--check: asks about a Dockerfile/],
    ["--cache-to type=registry,ref=a --cache-to type=local,dest=b", /--cache-to: names a second place/],
    ["--cache-to type=registry,ref=a --cache-to type=inline", /--cache-to: writes two caches/],
    ["--cache-to type=registry,ref=a,compression=zstd", /compression of --cache-to: has no input/],
    ["--cache-to type=moon", /--cache-to: has the type "moon"/],
    ["-f -", /--file: is read from the standard input/],
    ["--iidfile id.txt", /--iidfile: writes a file.*pulumi stack output indexDigest/],
    ["--load", /--load: puts an image into the docker of this machine/],
    ["--metadata-file m.json", /--metadata-file: writes a file/],
    ["--network bridge", /--network: is none that BuildKit has/],
    ["-o type=image,push-by-digest=true", /push-by-digest of --output/],
    ["-o type=image,oci-mediatypes=false", /oci-mediatypes of --output/],
    ["-o -", /dest of --output: goes to the standard output/],
    ["-o type=tar,dest=x.tar,compression=zstd", /compression of --output: has no input/],
    ["--push=false -o type=tar,dest=x.tar", /--output: writes tar without a push/],
    ["-o type=moon", /--output: has the type "moon"/],
    ["--platform local", /--platform: is local/],
    ["--platform linux/amd65", /--platform: becomes platforms\[1\]/],
    ["--policy filename=x", /--policy: checks sources by a policy/],
    ["--secret src", /--secret: cannot be understood/],
    ["-t r.example.com/app@sha256:0", /--tag: names a digest/],
    ["-t q.example.com/app:other", /--tag: gives q\.example\.com\/app other tags/],
    ["-t 'r.example.com/app:a b'", /--tag: becomes tags\[1\]/],
    ["--ulimit nofile", /--ulimit: is not of the form/],
    ["--ulimit moon=1", /--ulimit: becomes ulimits\[0\]\.name/],
    ["--help", /--help: asks buildx for help/],
];

describe("an option of docker buildx build", () => {
    for (const [option, lines] of carried) {
        it(`is carried over: ${option}`, async () => {
            const { status, stdout, stderr } = await convertMore(option);
            assert.equal(status, 0, stderr);
            lines.forEach((line) => assert.ok(stdout.includes(line), `${line} is in\n${stdout}`));
        });
    }

    for (const [option, text] of refused) {
        it(`is refused by name: ${option}`, async () => {
            const { status, stdout, stderr } = await convertMore(option);
            assert.equal(status, 1, stdout);
            assert.equal(stdout, "");
            assert.match(stderr, text);
            assert.match(stderr, /^One thing cannot be carried over/, "and nothing else is said to be wrong");
        });
    }

    it("is tried here, each one that a program can be made of or not", () => {
        const tried = [...carried, ...refused].map(([option]) => option).join(" ");
        const known = [
            "push",
            "builder",
            "debug",
            "print",
            "compress",
            "isolation",
            "security-opt",
            "force-rm",
            "output",
        ];
        const others = ["tag", "file", "memory-swap", "cpu-shares", "cpu-period", "cpu-quota", "cpuset-cpus"];
        const names = buildFlags.map(({ name }) => name).filter((name) => !tried.includes(`--${name}`));
        assert.deepEqual(
            names.filter((name) => ![...known, ...others, "cpuset-mems"].includes(name)),
            [],
        );
    });

    it("becomes an input that exists, unless it is refused", () => {
        const inputs = loadSchema().resources["multiarch:index:MultiArchImage"]?.inputProperties ?? {};
        const named = buildFlags.flatMap(({ outcome }) => ("input" in outcome ? outcome.input.split(", ") : []));
        const unknown = named.map((input) => input.replace(/[.[].*$/, "")).filter((input) => !(input in inputs));
        assert.deepEqual(unknown, []);
    });

    it("is listed in docs/buildx-options.md as the command treats it", () => {
        assert.equal(readFileSync("docs/buildx-options.md", "utf8"), writeOptionsTable());
    });
});
