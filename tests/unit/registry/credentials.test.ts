import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { runCommand } from "../../../sdk/build/exec";
import { MultiArchError } from "../../../sdk/errors";
import { normaliseAddress, type RegistryCredential } from "../../../sdk/registry/accounts";
import { findCredential, type FoundCredential } from "../../../sdk/registry/credentials";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("the account for a registry", () => {
    let folder: string;

    beforeEach(async () => {
        folder = await mkdtemp(join(tmpdir(), "multiarch-credentials-"));
    });
    afterEach(async () => {
        await rm(folder, { recursive: true });
    });

    /** A credential helper that notes what it was asked, and answers with this script. */
    async function addHelper(name: string, script: string): Promise<void> {
        const text = `#!/bin/sh\nread -r server\necho "$1 $server" >> ${folder}/asked\n${script}\n`;
        await writeFile(join(folder, `docker-credential-${name}`), text, { mode: 0o755 });
    }

    async function find(
        host: string,
        config?: object | string,
        registries: RegistryCredential[] = [],
        more: Record<string, string> = {},
    ): Promise<FoundCredential | undefined> {
        if (config !== undefined) {
            const text = typeof config === "string" ? config : JSON.stringify(config);
            await writeFile(join(folder, "config.json"), text);
        }
        const path = `${folder}${delimiter}${process.env.PATH ?? ""}`;
        return findCredential(host, { registries, env: { DOCKER_CONFIG: folder, PATH: path, ...more }, runCommand });
    }

    async function assertBroken(config: object | string, reason: RegExp): Promise<void> {
        await assert.rejects(find("r.example.com", config), (error) => {
            assert.ok(error instanceof MultiArchError);
            assert.equal(error.code, "registry-credentials");
            assert.match(error.message, reason);
            assert.doesNotMatch(error.message, /hunter2/);
            assert.equal(error.cause, undefined);
            return true;
        });
    }

    it("is none where there is no docker configuration", async () => {
        assert.equal(await find("r.example.com"), undefined);
    });

    it("is the one in registries before any other", async () => {
        const given = { address: "https://R.example.com/v2/", username: "me", password: "mine" };
        assert.deepEqual(
            await find("r.example.com", { auths: { "r.example.com": { auth: base64("a:b") } } }, [given]),
            {
                address: "r.example.com",
                username: "me",
                password: "mine",
                source: "registries",
            },
        );
    });

    it("is not the one for the same host with another port", async () => {
        const given = { address: "r.example.com:5000", username: "me", password: "mine" };
        assert.equal(await find("r.example.com", {}, [given]), undefined);
    });

    it("is not an entry of registries that holds an address only", async () => {
        const found = await find("r.example.com", { auths: { "r.example.com": { auth: base64("a:b") } } }, [
            { address: "r.example.com" },
        ]);
        assert.equal(found?.username, "a");
    });

    const source = "the docker configuration";
    const forms: [string, object, Partial<FoundCredential>][] = [
        ["a pair in base64", { auth: base64("a:b:c") }, { username: "a", password: "b:c" }],
        ["a pair padded with zero bytes", { auth: base64("a:b\0\0") }, { username: "a", password: "b" }],
        ["a name and a password", { username: "a", password: "b" }, { username: "a", password: "b" }],
        ["a refresh token", { auth: base64("a:b"), identitytoken: "t" }, { identityToken: "t" }],
        ["an access token", { registrytoken: "t" }, { registryToken: "t" }],
    ];
    for (const [name, auth, parts] of forms) {
        it(`may be written as ${name}`, async () => {
            assert.deepEqual(await find("r.example.com", { auths: { "https://r.example.com/v1/": auth } }), {
                address: "r.example.com",
                ...parts,
                source,
            });
        });
    }

    it("is none when the entry is empty", async () => {
        assert.equal(await find("r.example.com", { auths: { "r.example.com": {} } }), undefined);
    });

    it("comes from docker's own key for Docker Hub, whichever of its names is asked for", async () => {
        const config = { auths: { "https://index.docker.io/v1/": { auth: base64("a:b") } } };
        for (const name of ["docker.io", "index.docker.io", "registry-1.docker.io"]) {
            assert.equal((await find(name, config))?.password, "b");
        }
    });

    it("comes from the helper for this registry", async () => {
        await addHelper("one", `echo '{"ServerURL":"x","Username":"a","Secret":"b"}'`);
        await addHelper("two", "exit 1");
        const config = { credHelpers: { "r.example.com": "one" }, credsStore: "two" };
        assert.deepEqual(await find("r.example.com", config), {
            address: "r.example.com",
            username: "a",
            password: "b",
            source: "the credential helper docker-credential-one",
        });
        assert.equal(await readFile(join(folder, "asked"), "utf8"), "get r.example.com\n");
    });

    it("comes from the common store for all other registries, which is asked each time", async () => {
        await addHelper("two", `echo '{"Username":"<token>","Secret":"refresh"}'`);
        const config = { credHelpers: { other: "one" }, credsStore: "two" };
        assert.equal((await find("docker.io", config))?.identityToken, "refresh");
        assert.equal((await find("docker.io", config))?.identityToken, "refresh");
        const asked = "get https://index.docker.io/v1/\n";
        assert.equal(await readFile(join(folder, "asked"), "utf8"), asked + asked);
    });

    it("is none when the helper knows none, and then nothing else is tried, as docker does", async () => {
        await addHelper("one", "echo 'credentials not found in native keychain'; exit 1");
        const config = { credsStore: "one", auths: { "r.example.com": { auth: base64("a:b") } } };
        assert.equal(await find("r.example.com", config), undefined);
    });

    it("is the one in DOCKER_AUTH_CONFIG before any helper, except for registries it does not name", async () => {
        await addHelper("one", `echo '{"Username":"a","Secret":"helper"}'`);
        const config = { credsStore: "one", auths: { "r.example.com": { auth: base64("a:file") } } };
        const variable = {
            DOCKER_AUTH_CONFIG: `{"auths":{"https://r.example.com/v1/":{"auth":"${base64("a:env")}"}}}`,
        };
        assert.equal((await find("r.example.com", config, [], variable))?.password, "env");
        assert.equal((await find("other.example.com", config, [], variable))?.password, "helper");
        assert.equal((await find("r.example.com", config, [], { DOCKER_AUTH_CONFIG: "{" }))?.password, "helper");
    });

    it("is read from the file when the helper for this registry has an empty name", async () => {
        const config = {
            credsStore: "missing",
            credHelpers: { "r.example.com": "" },
            auths: { "r.example.com": { auth: base64("a:b") } },
        };
        assert.equal((await find("r.example.com", config))?.username, "a");
    });

    it("cannot be found when the helper fails, and its report is shown", async () => {
        await addHelper("one", "echo 'keychain is locked'; exit 3");
        await assertBroken(
            { credsStore: "one" },
            /docker-credential-one failed \(exit code 3\)[^]*\| keychain is locked/,
        );
    });

    it("cannot be found when the helper answers nonsense, and the nonsense is not shown", async () => {
        await addHelper("one", `echo '{"Secret":"hunter2"}'`);
        await assertBroken({ credsStore: "one" }, /did not answer with a user name and a secret/);
        await addHelper("one", `echo '{"Secret":"hunter2"}'; exit 1`);
        await assertBroken({ credsStore: "one" }, /failed \(exit code 1\)/);
    });

    it("cannot be found when the helper does not exist or has an impossible name", async () => {
        await assertBroken({ credsStore: "missing" }, /docker-credential-missing is not on PATH/);
        await assertBroken({ credsStore: "../x" }, /name with characters/);
    });

    it("cannot be found when the configuration is not JSON, and its text is not shown", async () => {
        await assertBroken('{"auths":{"x":{"auth":"hunter2"', /config.json is not a docker configuration/);
    });
});

describe("the address of a registry", () => {
    it("is compared without scheme, path and case, and Docker Hub has one name", () => {
        assert.equal(normaliseAddress("https://Registry.Example.com:5000/v2/x"), "registry.example.com:5000");
        assert.equal(normaliseAddress("https://index.docker.io/v1/"), "docker.io");
        assert.equal(normaliseAddress("registry-1.docker.io"), "docker.io");
    });
});
