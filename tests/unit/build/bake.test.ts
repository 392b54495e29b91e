import assert from "node:assert/strict";

import { buildArgv } from "../../../sdk/build/argv";
import type { BuildRequest } from "../../../sdk/build/request";
import { requestOf } from "./testRequests";

const files = { metadata: "/private/metadata.json", secrets: { npm: "/private/secrets/0" } };
const azblob = { name: "n", accountUrl: "https://a", secretAccessKey: "s3cret" };

function bake(more: Partial<BuildRequest> = {}) {
    const { args, env, definition = "" } = buildArgv(requestOf({ cache: { azblob }, ...more }), files);
    return {
        args,
        env,
        target: (JSON.parse(definition) as { target: { image: Record<string, unknown> } }).target.image,
    };
}

/** With a key in its cache a build is described by a file that nobody else can read. */
describe("a build with a key in its cache", () => {
    it("shows nothing of the cache in its arguments", () => {
        const { args, env, target } = bake();
        assert.deepEqual(args, [
            "bake",
            ...["--builder=multiarch", "--progress=rawjson", "--metadata-file=/private/metadata.json"],
            ...["--provenance=false", "--sbom=false"],
            ...["--allow=fs=*", "--file", "/private/definition.json", "image"],
        ]);
        assert.deepEqual(env, {});
        const cache = "type=azblob,name=n-linux-arm64,account_url=https://a,secret_access_key=s3cret";
        assert.deepEqual(target["cache-from"], [cache]);
        assert.deepEqual(target["cache-to"], [`${cache},mode=max,ignore-error=true`]);
    });

    it("has a file for no other cache", () => {
        for (const cache of [{ registry: {} }, { azblob: { accountUrl: "https://a" } }, { s3: { bucket: "b" } }]) {
            const { args, definition } = buildArgv(requestOf({ cache }), files);
            assert.equal(args[0], "build");
            assert.equal(definition, undefined);
        }
    });

    it("has a place in the file for every option there is, and starts paths where the build does", () => {
        const { args, target } = bake({
            dockerfile: { location: "build/Dockerfile" },
            target: "wanted",
            pull: true,
            buildArgs: { NOTE: "a=b", PATH: "/bin" },
            secrets: { npm: "token" },
            secretFiles: { netrc: "/etc/netrc" },
            context: { location: "./app", named: { lib: { location: "../lib" } } },
            attestations: { provenance: "max", sbom: true },
            options: {
                labels: { a: "b=c" },
                annotations: { d: "e" },
                network: "host",
                addHosts: ["db:10.0.0.7", "v6=::1"],
                ssh: [{ id: "default" }],
                noCache: true,
                noCacheFilters: ["one", "two"],
                ulimits: [{ name: "nofile", soft: 1, hard: 2 }],
                shmSize: "1g",
                resources: { memory: "1g" },
                allow: ["network.host"],
                sourceDateEpoch: 1,
            },
        });
        const { "cache-from": from, "cache-to": to, output, ...others } = target;
        assert.ok(from && to);
        assert.match(String(output), /^type=image,name=registry\.example\.com\/team\/app,push-by-digest=true/);
        assert.deepEqual(others, {
            context: "/project/app",
            platforms: ["linux/arm64"],
            dockerfile: "/project/build/Dockerfile",
            target: "wanted",
            pull: true,
            args: { NOTE: "a=b", PATH: "/bin", SOURCE_DATE_EPOCH: "1" },
            secret: ["id=npm,src=/private/secrets/0", "id=netrc,src=/etc/netrc"],
            labels: { a: "b=c" },
            annotations: ["manifest:d=e"],
            network: "host",
            "extra-hosts": { db: "10.0.0.7", v6: "::1" },
            ssh: ["default"],
            "no-cache": true,
            "no-cache-filter": ["one", "two"],
            ulimits: ["nofile=1:2"],
            "shm-size": "1g",
            resources: { memory: "1g" },
            entitlements: ["network.host"],
            contexts: { lib: "../lib" },
        });
        const kept = ["--provenance=mode=max", "--sbom=true", "--allow=network.host", "--allow=ssh"];
        kept.forEach((arg) => assert.ok(args.includes(arg), arg));
    });

    it("leaves the path of a Dockerfile in a repository as it is", () => {
        const location = "https://example.com/app.git#main";
        const { target } = bake({ context: { location }, dockerfile: { location: "build/Dockerfile" } });
        assert.deepEqual([target["context"], target["dockerfile"]], [location, "build/Dockerfile"]);
    });

    it("writes no text that would be read as an expression", () => {
        const { target } = bake({ buildArgs: { A: "${HOME}", B: "$${X} %{Y}", C: "100% $ {}" } });
        assert.deepEqual(target["args"], {
            A: '${"$"}{HOME}',
            B: '${"$"}${"$"}{X} ${"%"}{Y}',
            C: "100% $ {}",
        });
    });

    it("refuses what has no place in the file", () => {
        assert.throws(() => bake({ options: { cgroupParent: "x" } }), /no place for --cgroup-parent/);
    });
});
