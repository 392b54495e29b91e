import assert from "node:assert/strict";
import fc from "fast-check";
import { cacheArgv, platformCacheRef } from "../../../sdk/build/cache";
import { completeCache, machineSecretsOf, refuseLackingCache } from "../../../sdk/build/cacheMachine";

const scope = { platform: "linux/arm64", repository: "registry.example.com:5000/team/app", baseDirectory: "/project" };

describe("a cache in a registry", () => {
    it("has a tag of its own for each platform, in the repository of the image", () => {
        const ref = "ref=registry.example.com:5000/team/app:buildcache-linux-arm64";
        assert.deepEqual(cacheArgv({ registry: {} }, scope), [
            ...["--cache-from", `type=registry,${ref}`],
            "--cache-to",
            `type=registry,${ref},image-manifest=true,oci-mediatypes=true,mode=max,ignore-error=true`,
        ]);
    });

    it("is read and not written when it is read-only", () => {
        const args = cacheArgv({ registry: {}, readOnly: true }, scope);
        assert.deepEqual(args.length, 2);
        assert.equal(args[0], "--cache-from");
    });

    it("fails the build only when that is wanted", () => {
        const [, , , to] = cacheArgv({ registry: {}, mode: "min", ignoreError: false }, scope);
        assert.match(to ?? "", /mode=min,ignore-error=false$/);
    });

    const refs: [ref: string, platform: string, scoped: string][] = [
        ["host/app", "linux/amd64", "host/app:buildcache-linux-amd64"],
        ["host/app:main", "linux/arm/v7", "host/app:main-linux-arm-v7"],
        ["host:5000/app", "linux/amd64", "host:5000/app:buildcache-linux-amd64"],
        ["host:5000/app:x", "linux/amd64/v3", "host:5000/app:x-linux-amd64-v3"],
    ];
    for (const [ref, platform, scoped] of refs) {
        it(`at ${ref} is at ${scoped} for ${platform}`, () => {
            assert.equal(platformCacheRef(ref, platform), scoped);
        });
    }

    it("keeps to the longest tag a registry takes, and long tags apart", () => {
        const tag = fc.string({ minLength: 1, maxLength: 128, unit: fc.constantFrom("a", "b", "-", "1") });
        fc.assert(
            fc.property(tag, tag, (one, other) => {
                const [a, b] = [one, other].map((text) => platformCacheRef(`host/app:${text}`, "linux/arm64"));
                assert.ok((a ?? "").length <= "host/app:".length + 128);
                assert.match(a ?? "", /-linux-arm64$/);
                assert.equal(a === b, one === other);
            }),
        );
        const long = "a".repeat(127);
        assert.notEqual(
            platformCacheRef(`h/a:${long}a`, "linux/arm64"),
            platformCacheRef(`h/a:${long}b`, "linux/arm64"),
        );
    });
});

describe("a cache in a folder", () => {
    it("has a folder of its own for each platform", () => {
        assert.deepEqual(cacheArgv({ local: { directory: "../cache, all" } }, scope), [
            ...["--cache-from", 'type=local,"src=/cache, all/linux-arm64"'],
            ...["--cache-to", 'type=local,"dest=/cache, all/linux-arm64",mode=max,ignore-error=true'],
        ]);
    });
});

describe("a cache inside the image", () => {
    it("is read from the last image and written with the new one", () => {
        assert.deepEqual(cacheArgv({ inline: {} }, scope), [
            ...["--cache-from", "type=registry,ref=registry.example.com:5000/team/app:latest"],
            ...["--cache-to", "type=inline"],
        ]);
    });

    it("is read from the images that are named", () => {
        const from = ["host/app@sha256:1", "host/app:v1"];
        assert.deepEqual(cacheArgv({ inline: { from }, readOnly: true }, scope), [
            ...["--cache-from", "type=registry,ref=host/app@sha256:1"],
            ...["--cache-from", "type=registry,ref=host/app:v1"],
        ]);
    });
});

describe("a cache on a server", () => {
    const own = "name=registry.example.com_5000/team/app-linux-arm64";
    const end = "mode=max,ignore-error=true";

    it("of Amazon has a name of its own for each image and platform", () => {
        assert.deepEqual(cacheArgv({ s3: { bucket: "b" } }, scope), [
            ...["--cache-from", `type=s3,bucket=b,${own}`],
            ...["--cache-to", `type=s3,bucket=b,${own},${end}`],
        ]);
    });

    it("of Amazon is described in full, and what is for writing only where it is written", () => {
        const place = { region: "r", name: "n", endpointUrl: "https://e", usePathStyle: true, prefix: "p/" };
        const prefixes = { blobsPrefix: "b/", manifestsPrefix: "m/" };
        const account = { accessKeyId: "id", secretAccessKey: "key", sessionToken: "token" };
        const upload = { uploadParallelism: 2, touchRefreshSeconds: 60 };
        const text = [
            "type=s3,bucket=b,name=n-linux-arm64,region=r,endpoint_url=https://e,use_path_style=true,prefix=p/",
            "blobs_prefix=b/,manifests_prefix=m/,access_key_id=id,secret_access_key=key,session_token=token",
        ].join(",");
        assert.deepEqual(cacheArgv({ s3: { bucket: "b", ...place, ...prefixes, ...account, ...upload } }, scope), [
            ...["--cache-from", text],
            ...["--cache-to", `${text},upload_parallelism=2,touch_refresh=60s,${end}`],
        ]);
    });

    it("of GitHub has a scope of its own for each image and platform", () => {
        const [, from] = cacheArgv({ gha: {} }, scope);
        assert.equal(from, `type=gha,${own.replace("name", "scope")}`);
    });

    it("of GitHub speaks version 2 where the address is given, unless another is asked for", () => {
        const gha = { scope: "s", url: "https://e/", token: "t", timeoutSeconds: 30 };
        const text = "type=gha,scope=s-linux-arm64,version=2,url_v2=https://e/,token=t,timeout=30s";
        assert.deepEqual(cacheArgv({ gha, readOnly: true }, scope), ["--cache-from", text]);
        const [, old] = cacheArgv({ gha: { ...gha, version: 1 } }, scope);
        assert.equal(old, text.replace("version=2,url_v2", "version=1,url"));
    });

    it("of Azure has a name of its own for each image and platform", () => {
        const azblob = { accountUrl: "https://a", accountName: "a", container: "c", prefix: "p", secretAccessKey: "k" };
        const [, from, , to] = cacheArgv({ azblob: { ...azblob, blobsPrefix: "b", manifestsPrefix: "m" } }, scope);
        const text = "account_url=https://a,account_name=a,container=c,prefix=p,blobs_prefix=b,manifests_prefix=m";
        assert.equal(from, `type=azblob,${own},${text},secret_access_key=k`);
        assert.equal(to, `${from},${end}`);
    });
});

describe("further caches", () => {
    it("are read after the first one, each by the scope of the platform, and never written", () => {
        const from = [
            { registry: { ref: "host/app:main" } },
            { registry: { ref: `host/app@sha256:${"1".repeat(64)}` } },
            { s3: { bucket: "b", name: "main", uploadParallelism: 2 } },
            { inline: { from: ["host/app:v1"] } },
            { local: { directory: "/cache" } },
            { registry: { ref: "host/app:main" } },
        ];
        const args = cacheArgv({ registry: { ref: "host/app:branch" }, from }, scope);
        assert.deepEqual(
            args.filter((_, position) => args[position - 1] === "--cache-from"),
            [
                "type=registry,ref=host/app:branch-linux-arm64",
                "type=registry,ref=host/app:main-linux-arm64",
                `type=registry,ref=host/app@sha256:${"1".repeat(64)}`,
                "type=s3,bucket=b,name=main-linux-arm64",
                "type=registry,ref=host/app:v1",
                "type=local,src=/cache/linux-arm64",
            ],
        );
        assert.equal(args.filter((arg) => arg === "--cache-to").length, 1);
    });

    it("may be all there is", () => {
        const args = cacheArgv({ from: [{ registry: { ref: "host/app:main" } }] }, scope);
        assert.deepEqual(args, ["--cache-from", "type=registry,ref=host/app:main-linux-arm64"]);
    });
});

describe("the scopes of a cache", () => {
    it("of two platforms or two names are never the same, in any kind of cache", () => {
        const platforms = ["linux/amd64", "linux/arm64", "linux/arm", "linux/arm/v6", "linux/arm/v7", "windows/amd64"];
        const name = fc.string({ minLength: 1, maxLength: 40, unit: fc.constantFrom("a", "-", "/", "_", "1", ".") });
        const place = fc.tuple(fc.constantFrom(...platforms), name);
        fc.assert(
            fc.property(place, place, (one, other) => {
                const scopesOf = ([platform, text]: [string, string]): string[] => {
                    const where = { ...scope, platform };
                    return [
                        ...cacheArgv({ s3: { bucket: "b", name: text }, readOnly: true }, where),
                        ...cacheArgv({ gha: { scope: text }, readOnly: true }, where),
                        ...cacheArgv({ azblob: { name: text }, readOnly: true }, where),
                    ].filter((arg) => arg !== "--cache-from");
                };
                const same = one[0] === other[0] && one[1] === other[1];
                const [first, second] = [scopesOf(one), scopesOf(other)];
                first.forEach((text, position) => assert.equal(text === second[position], same));
            }),
        );
    });
});

describe("what this machine knows of a cache", () => {
    const env = {
        AWS_REGION: "eu-west-1",
        AWS_SECRET_ACCESS_KEY: "aws-key",
        AWS_SESSION_TOKEN: "",
        ACTIONS_RUNTIME_TOKEN: "job-token",
    };

    it("is the region of a bucket, where none is given", () => {
        const cache = { registry: {}, from: [{ s3: { bucket: "b" } }, { s3: { bucket: "c", region: "own" } }] };
        assert.deepEqual(completeCache(cache, env)?.from, [
            { s3: { bucket: "b", region: "eu-west-1" } },
            { s3: { bucket: "c", region: "own" } },
        ]);
        assert.equal(completeCache({ s3: { bucket: "b" } }, { AWS_DEFAULT_REGION: "d" })?.s3?.region, "d");
        assert.equal(completeCache(undefined, env), undefined);
    });

    it("is kept out of what is printed, where buildx hands it on", () => {
        assert.deepEqual(machineSecretsOf({ s3: { bucket: "b" } }, env), ["aws-key"]);
        assert.deepEqual(machineSecretsOf({ registry: {}, from: [{ gha: {} }] }, env), ["job-token"]);
        assert.deepEqual(machineSecretsOf({ registry: {} }, env), []);
    });

    it("is lacking where no job of GitHub Actions runs, by the place in the program", () => {
        refuseLackingCache({ gha: { url: "https://e", token: "t" } }, {}, "linux/amd64");
        refuseLackingCache({ gha: {} }, { ...env, ACTIONS_RESULTS_URL: "https://e" }, "linux/amd64");
        assert.throws(
            () => refuseLackingCache({ registry: {}, from: [{ registry: {} }, { gha: {} }] }, env, "linux/amd64"),
            {
                code: "cache-environment",
                message: /has no url \(ACTIONS_RESULTS_URL\)[\s\S]*cache\.from\[1\]\.gha/,
            },
        );
    });
});

describe("no cache", () => {
    it("needs no arguments", () => {
        assert.deepEqual(cacheArgv(undefined, scope), []);
    });
});
