import assert from "node:assert/strict";
import { parseDockerConfig, privateDockerConfig } from "../../../sdk/registry/dockerConfig";

const mine = { address: "https://registry.example.com/v2/", username: "me", password: "mine" };
const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("the private docker configuration of a build", () => {
    it("keeps the user's accounts and helpers", () => {
        const user = {
            auths: { "ghcr.io": { auth: base64("a:b") } },
            credHelpers: { "1.ecr.example.com": "ecr-login" },
            credsStore: "pass",
        };
        assert.deepEqual(JSON.parse(privateDockerConfig([], user)), user);
    });

    it("takes over nothing else", () => {
        const user = parseDockerConfig(
            JSON.stringify({
                proxies: { default: { httpProxy: "http://proxy.example.com" } },
                HttpHeaders: { "X-Meta": "1" },
                currentContext: "remote",
                psFormat: "x",
                cliPluginsExtraDirs: ["/opt/plugins"],
            }),
        );
        assert.deepEqual(JSON.parse(privateDockerConfig([], user, ["/home/me/.docker/cli-plugins"])), {
            auths: {},
            cliPluginsExtraDirs: ["/home/me/.docker/cli-plugins", "/opt/plugins"],
        });
    });

    it("puts a given account in the place of the user's, however its key is written", () => {
        const user = {
            auths: { "https://registry.example.com/v1/": { auth: base64("old:old") }, other: { auth: "x" } },
            credHelpers: { "registry.example.com": "pass", other: "pass" },
        };
        assert.deepEqual(JSON.parse(privateDockerConfig([mine], user)), {
            auths: { other: { auth: "x" }, "registry.example.com": { auth: base64("me:mine") } },
            credHelpers: { other: "pass" },
        });
    });

    it("switches the user's store off for the registry of a given account", () => {
        assert.deepEqual(JSON.parse(privateDockerConfig([mine], { credsStore: "desktop" })), {
            auths: { "registry.example.com": { auth: base64("me:mine") } },
            credHelpers: { "registry.example.com": "" },
            credsStore: "desktop",
        });
    });

    it("uses docker's own key for Docker Hub", () => {
        const hub = { address: "docker.io", username: "me", password: "mine" };
        const user = { auths: { "index.docker.io": { auth: "x" } }, credsStore: "desktop" };
        assert.deepEqual(JSON.parse(privateDockerConfig([hub], user)), {
            auths: { "https://index.docker.io/v1/": { auth: base64("me:mine") } },
            credHelpers: { "https://index.docker.io/v1/": "" },
            credsStore: "desktop",
        });
    });

    it("takes a password without a user name for a refresh token", () => {
        const token = { address: "r.example.com", password: "refresh" };
        assert.deepEqual(JSON.parse(privateDockerConfig([token], {})), {
            auths: { "r.example.com": { identitytoken: "refresh" } },
        });
    });

    it("takes the first of two accounts for one registry, and none from an entry without any", () => {
        const second = { address: "registry.example.com", username: "other", password: "x" };
        assert.deepEqual(JSON.parse(privateDockerConfig([{ address: "ghcr.io" }, mine, second], {})), {
            auths: { "registry.example.com": { auth: base64("me:mine") } },
        });
    });
});

describe("the user's docker configuration", () => {
    it("may be empty, and may hold entries of the wrong type", () => {
        assert.deepEqual(parseDockerConfig(" \n"), {});
        const odd = '{"auths":{"a":null,"b":{"auth":"x"}},"credHelpers":{"c":1,"d":"e"},"credsStore":""}';
        assert.deepEqual(parseDockerConfig(odd), { auths: { b: { auth: "x" } }, credHelpers: { d: "e" } });
    });

    it("is refused when it is not an object", () => {
        assert.throws(() => parseDockerConfig("[]"));
        assert.throws(() => parseDockerConfig("{"));
    });
});
