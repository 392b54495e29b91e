import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { BuildReport } from "../../sdk";
import { removeCgroups } from "../support/cgroups";
import { writeContext } from "../support/images";
import { useImageStack } from "../support/imageStack";

const fileSecret = "f1le-Ver1-S3cret";

/** Each step fails unless its option has reached it. */
const steps = [
    "FROM alpine:latest",
    "COPY content.txt /",
    'RUN test "$(ulimit -Sn)" = 1024 && test "$(ulimit -Hn)" = 2048',
    'RUN case "$(cat /etc/hosts)" in *10.0.0.7*db.internal*) ;; *) exit 1 ;; esac',
    // The first file is that of cgroup v1, the second one that of v2.
    'RUN cd /sys/fs/cgroup && test "$(cat memory/memory.limit_in_bytes || cat memory.max)" = 67108864',
    "RUN df -k /dev/shm | { read -r header; read -r fs size rest; test $size = 131072; }",
    'RUN --mount=type=secret,id=npmrc test "$(cat /run/secrets/npmrc)" = "$(cat /content.txt)"',
    "RUN --mount=type=ssh,id=deploy test -S $SSH_AUTH_SOCK",
    // These are the capabilities that steps have otherwise.
    'RUN --security=insecure case "$(cat /proc/self/status)" in *00000000a80425fb*) exit 1 ;; esac',
    'RUN case "$(cat /proc/self/status)" in *00000000a80425fb*) ;; *) exit 1 ;; esac',
    "RUN --network=default true",
    'RUN case "$(cat /proc/net/dev)" in *eth0*) exit 1 ;; esac',
    "RUN touch /done",
    "FROM scratch AS final",
    // What a stage does runs only when something is taken from it.
    "COPY --from=0 /done /",
].join("\n");

/** What a build says and does beyond files and arguments, on the real builders. */
describe("an option of a build", () => {
    const stack = useImageStack(() => ({ platforms: ["linux/amd64"] }));
    const cgroupParent = `multiarch-tests-${process.pid}`;

    after(() => removeCgroups(cgroupParent));

    it("reaches every step it is for", async () => {
        writeContext(stack.folder, fileSecret, steps);
        writeFileSync(join(stack.folder, "npmrc"), fileSecret);
        const { privateKey } = generateKeyPairSync("ed25519");
        const key = String(privateKey.export({ type: "pkcs8", format: "pem" }));
        stack.args = {
            platforms: ["linux/amd64"],
            ulimits: [{ name: "nofile", soft: 1024, hard: 2048 }],
            addHosts: ["db.internal:10.0.0.7"],
            shmSize: "128m",
            secretFiles: { npmrc: "./npmrc" },
            ssh: [{ id: "deploy", key }],
            allow: ["security.insecure"],
            network: "none",
            resources: { memory: "64m" },
            cgroupParent,
            labels: { "org.example.team": "infra, ops=1" },
        };
        const { outputs } = await stack.up();
        const digests = outputs["platformDigests"]?.value as Record<string, string>;
        const config = await stack.view.config(`${stack.repository}@${digests["linux/amd64"]}`);
        assert.deepEqual((config["config"] as { Labels: object }).Labels, { "org.example.team": "infra, ops=1" });
        assert.ok(removeCgroups(cgroupParent) > 0, "steps ran in the control group");
        const state = readState(join(stack.folder, ".."));
        for (const secret of [fileSecret, key.split("\n")[1] ?? ""]) {
            assert.equal(stack.output().includes(secret), false, "in the output");
            assert.equal(state.includes(secret), false, "in the state");
        }
        assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 4 });
    });

    it("runs the stages again that it names, or all of them, and takes the others from the cache", async () => {
        const stages = ["named", "other"].map((name) => `FROM scratch AS ${name}\nCOPY content.txt /${name}\n`);
        const last = "FROM scratch\nCOPY --from=named /named /\nCOPY --from=other /other /\n";
        writeContext(stack.folder, stack.repository, `${stages.join("")}${last}`);
        const countCached = async (args: object): Promise<number> => {
            stack.args = { platforms: ["linux/amd64"], ...args };
            const builds = (await stack.up()).outputs["builds"]?.value as Record<string, BuildReport>;
            assert.equal(builds["linux/amd64"]?.steps, 4);
            return builds["linux/amd64"].cachedSteps;
        };
        assert.equal(await countCached({}), 0);
        assert.equal(await countCached({ invalidation: { extra: "1" } }), 4);
        const ofStage = await countCached({ invalidation: { extra: "2" }, noCacheFilters: ["named"] });
        assert.ok(ofStage > 0 && ofStage < 4, `${ofStage} of 4 steps are cached`);
        assert.equal(await countCached({ invalidation: { extra: "3" }, noCache: true }), 0);
    });

    it("keeps cache mounts from one build to the next, on the second builder where the first one is gone", async () => {
        const step =
            'RUN --mount=type=cache,target=/cache test "$(cat content.txt)" = one || test -e /cache/made; > /cache/made';
        const dockerfile = [
            "FROM alpine:latest",
            "COPY content.txt .",
            'RUN case "$(cat /proc/net/dev)" in *eth0*) ;; *) exit 1 ;; esac',
            step,
            "FROM scratch",
            // What a stage does runs only when something is taken from it.
            "COPY --from=0 /content.txt /",
        ].join("\n");
        const { endpoint } = stack.world.builders.amd64;
        const gone = { ...endpoint, address: endpoint.address.replace("1234", "9") };
        stack.args = { platforms: ["linux/amd64"], builders: { endpoints: [gone, endpoint] }, network: "host" };
        writeContext(stack.folder, "one", dockerfile.replace("|| test -e /cache/made", ""));
        const { outputs } = await stack.up();
        const builds = outputs["builds"]?.value as Record<string, { builder: string }>;
        assert.equal(builds["linux/amd64"]?.builder, endpoint.address);
        assert.match(stack.output(), /a builder is skipped: .*\[builder-refused\]/);
        writeContext(stack.folder, "two", dockerfile);
        await stack.up();
    });

    it("is refused by name where the file it points to is missing", async () => {
        writeContext(stack.folder, "one");
        stack.args = { platforms: ["linux/amd64"], secretFiles: { npmrc: "./nowhere" } };
        assert.match(await stack.upFails(), /secretFiles\.npmrc/);
        assert.deepEqual(stack.view.pushedManifests(stack.repository), []);
    });

    it("that is an entitlement the builder does not give ends in an error that says so", async () => {
        writeContext(stack.folder, "one", "FROM alpine:latest\nRUN --security=insecure true\n");
        const printed = await stack.upFails();
        assert.match(printed, /security\.insecure/);
    });
});

/** The same inputs give the same digest wherever they are built. */
describe("a fixed time", () => {
    const stack = useImageStack(() => ({ platforms: ["linux/amd64"] }));
    const dockerfile =
        "FROM alpine:latest AS run\nRUN echo made > /made\nFROM scratch\nCOPY --from=run /made /\nCOPY content.txt /\n";

    const buildAnew = async (args: object): Promise<string> => {
        await stack.world.builders.amd64.stop();
        await stack.world.builders.amd64.start({ empty: true });
        stack.args = { platforms: ["linux/amd64"], ...args };
        const { outputs } = await stack.up();
        return String(outputs["indexDigest"]?.value);
    };

    it("makes equal digests on two new daemons, which otherwise differ", async () => {
        writeContext(stack.folder, "one", dockerfile);
        const epoch = { sourceDateEpoch: 1_700_000_000 };
        const first = await buildAnew({ ...epoch, invalidation: { extra: "1" } });
        const second = await buildAnew({ ...epoch, invalidation: { extra: "2" } });
        assert.equal(second, first);
        assert.notEqual(
            await buildAnew({ invalidation: { extra: "3" } }),
            await buildAnew({ invalidation: { extra: "4" } }),
        );
    });
});

/** What is said of the index and its parts. */
describe("annotations, overrides and compression", () => {
    const stack = useImageStack();

    it("are on the index, its entries and its images, each platform with its own", async () => {
        writeContext(
            stack.folder,
            "one",
            "FROM scratch AS small\nARG KIND\nLABEL kind=$KIND\nCOPY content.txt /small\nFROM small AS large\nCOPY content.txt /large\n",
        );
        const annotations = {
            index: { "org.example.level": "index" },
            manifest: { "org.example.level": "manifest" },
            manifestDescriptor: { "org.example.level": "entry" },
        };
        const platformOverrides = {
            "linux/arm64/v8": { target: "small", buildArgs: { KIND: "arm" }, annotations: { own: "arm" } },
        };
        const args = {
            annotations,
            platformOverrides,
            compression: "zstd" as const,
            buildArgs: { KIND: "any" },
            target: "large",
        };
        stack.args = args;
        const { outputs } = await stack.up();
        const read = async (reference: string) => (await stack.view.manifest(reference)) as unknown as Annotated;
        const index = await read(`${stack.repository}:latest`);
        assert.deepEqual(index.annotations, annotations.index);
        const [amd64, arm64] = index.manifests;
        assert.deepEqual([amd64?.annotations, arm64?.annotations], Array(2).fill(annotations.manifestDescriptor));
        const [large, small] = [
            await read(`${stack.repository}@${amd64?.digest}`),
            await read(`${stack.repository}@${arm64?.digest}`),
        ];
        assert.deepEqual(large.annotations, annotations.manifest);
        assert.deepEqual(small.annotations, { ...annotations.manifest, own: "arm" });
        assert.deepEqual([large.layers.length, small.layers.length], [2, 1]);
        assert.equal(small.layers[0]?.mediaType, "application/vnd.oci.image.layer.v1.tar+zstd");
        const labels = async (digest = "") =>
            ((await stack.view.config(`${stack.repository}@${digest}`))["config"] as { Labels: object }).Labels;
        assert.deepEqual(
            [await labels(amd64?.digest), await labels(arm64?.digest)],
            [{ kind: "any" }, { kind: "arm" }],
        );

        const changed = { ...annotations, index: { "org.example.level": "other" } };
        stack.args = { ...args, annotations: changed };
        const second = await stack.up();
        assert.equal(second.summary.resourceChanges?.update, 2, "component and index, no platform");
        assert.notEqual(second.outputs["indexDigest"]?.value, outputs["indexDigest"]?.value);
        assert.deepEqual(second.outputs["platformDigests"]?.value, outputs["platformDigests"]?.value);

        stack.args = {
            ...args,
            annotations: changed,
            compression: "estargz",
            compressionLevel: 9,
            forceCompression: true,
        };
        const third = await stack.up();
        const digests = third.outputs["platformDigests"]?.value as Record<string, string>;
        const lazy = await read(`${stack.repository}@${digests["linux/amd64"]}`);
        assert.ok("containerd.io/snapshot/stargz/toc.digest" in (lazy.layers[0]?.annotations ?? {}));
    });

    it("push nothing, and afterwards everything, as the program says", async () => {
        writeContext(stack.folder, "one");
        stack.args = { push: false };
        const { outputs } = await stack.up();
        assert.deepEqual(
            [outputs["indexDigest"]?.value, outputs["ref"]?.value, outputs["tagRefs"]?.value],
            ["", "", []],
        );
        assert.equal(Object.keys(outputs["builds"]?.value as object).length, 2);
        assert.deepEqual(stack.view.pushedManifests(stack.repository), []);
        assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 4 });
        await stack.stack.refresh();
        stack.args = {};
        const pushed = await stack.up();
        assert.equal(await stack.view.digestOf(`${stack.repository}:latest`), pushed.outputs["indexDigest"]?.value);
        stack.args = { push: false };
        await stack.up();
        assert.equal(await stack.view.digestOf(`${stack.repository}:latest`), pushed.outputs["indexDigest"]?.value);
    });
});

/** The state as it is on disk. */
function readState(root: string): string {
    const [file] = readdirSync(root, { recursive: true })
        .map(String)
        .filter((name) => name.endsWith("test.json"));
    assert.ok(file);
    return readFileSync(join(root, file), "utf8");
}

interface Annotated {
    readonly annotations?: object;
    readonly manifests: readonly { readonly digest: string; readonly annotations?: object }[];
    readonly layers: readonly { readonly mediaType: string; readonly annotations?: object }[];
}
