import assert from "node:assert/strict";
import { pickGitSecrets, prepareGitAccess } from "../../../sdk/context/gitAccess";
import { hashContext } from "../../../sdk/context/hash";
import { MultiArchError } from "../../../sdk/errors";
import { startGitServer, type GitServer } from "./gitServer";

const basic = (token: string): string => `basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`;

describe("a private git context", () => {
    let server: GitServer;

    beforeEach(async () => {
        server = await startGitServer(basic("t0ken"));
    });
    afterEach(() => {
        server.close();
    });

    const hash = async (secrets?: Record<string, string>): Promise<string> =>
        (await hashContext({ context: { location: `${server.remote}#main` }, secrets })).digest;

    it("is read with the same secrets as the builder reads it with, that of its host first", async () => {
        const expected = await hash({ GIT_AUTH_TOKEN: "t0ken" });
        for (const secrets of [
            { [`GIT_AUTH_TOKEN.${server.host}`]: "t0ken", GIT_AUTH_TOKEN: "other", GIT_AUTH_HEADER: "basic other" },
            { GIT_AUTH_HEADER: basic("t0ken"), GIT_AUTH_TOKEN: "other" },
            { [`GIT_AUTH_HEADER.${server.host}`]: basic("t0ken"), [`GIT_AUTH_TOKEN.${server.host}`]: "other" },
        ]) {
            assert.equal(await hash(secrets), expected);
        }
        assert.ok(server.seen.every((given) => given.length === 1 && given[0] === basic("t0ken")));
    });

    it("is not read by who has no token, also right after somebody who has", async () => {
        await hash({ GIT_AUTH_TOKEN: "t0ken" });
        for (const secrets of [undefined, {}, { GIT_AUTH_TOKEN: "other" }, { npm: "t0ken" }]) {
            await assert.rejects(
                hash(secrets),
                (error) =>
                    error instanceof MultiArchError &&
                    error.code === "context-unresolved" &&
                    error.fields.property === "context.location" &&
                    error.fields.next?.includes("GIT_AUTH_TOKEN") === true,
            );
        }
    });

    it("gets one header, whatever the settings of git around it hold", async () => {
        const settings: Record<string, string> = {
            GIT_CONFIG_COUNT: "1",
            GIT_CONFIG_KEY_0: `http.${server.remote}.extraheader`,
            GIT_CONFIG_VALUE_0: "Authorization: basic b3RoZXI=",
        };
        Object.assign(process.env, settings);
        try {
            await hash({ GIT_AUTH_TOKEN: "t0ken" });
        } finally {
            for (const name of Object.keys(settings)) {
                Reflect.deleteProperty(process.env, name);
            }
        }
        assert.deepEqual(server.seen, [[basic("t0ken")]]);
    });

    it("shows its token neither in arguments nor in errors", async () => {
        const failure = await hash({ GIT_AUTH_TOKEN: "wr0ng-token" }).then(
            () => assert.fail("it was read"),
            (error: unknown) => error as MultiArchError,
        );
        assert.doesNotMatch(failure.message, /wr0ng-token/);
        const { remote, env, redact } = prepareGitAccess(server.remote, { GIT_AUTH_TOKEN: "t0ken" });
        assert.equal(remote, server.remote);
        assert.ok(redact.includes("t0ken") && redact.includes(basic("t0ken").slice(6)));
        assert.ok(Object.values(env).includes(`Authorization: ${basic("t0ken")}`));
    });

    it("gives the token to all of GitHub, for submodules, and elsewhere to the repository alone", () => {
        const keys = (remote: string): string[] =>
            Object.entries(prepareGitAccess(remote, { GIT_AUTH_TOKEN: "t" }).env)
                .filter(([name]) => name.startsWith("GIT_CONFIG_KEY_"))
                .map(([, key]) => key);
        const [github, other] = ["https://github.com/a/b.git", "https://example.com/a/b.git"];
        assert.deepEqual(new Set(keys(github)), new Set(["http.https://github.com/.extraheader"]));
        assert.deepEqual(new Set(keys(other)), new Set([`http.${other}.extraheader`]));
        assert.deepEqual(keys("git@github.com:a/b"), []);
    });

    it("uses no other secret", () => {
        const secrets = { npm: "a", GIT_AUTH_TOKENS: "b", GIT_AUTH_TOKEN: "c", "GIT_AUTH_HEADER.example.com": "d" };
        assert.deepEqual(Object.keys(pickGitSecrets(secrets)), ["GIT_AUTH_HEADER.example.com", "GIT_AUTH_TOKEN"]);
    });
});
