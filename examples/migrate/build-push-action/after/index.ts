import * as pulumi from "@pulumi/pulumi";
import { MultiArchImage } from "pulumi-multiarch";

const config = new pulumi.Config();
const registry = config.require("registry");
const tls = {
    ca: config.require("builderCa"),
    cert: config.require("builderCert"),
    key: config.requireSecret("builderKey"),
};
// The pipeline says which commit it is for. By hand there is no such tag.
const commit = process.env["GITHUB_SHA"];

const image = new MultiArchImage("site", {
    context: { location: "../../app" },
    platforms: ["linux/amd64", "linux/arm64"],
    repository: `${registry}/team/site`,
    tags: ["1.0", ...(commit === undefined ? [] : [`sha-${commit.slice(0, 7)}`])],
    registries: [
        { address: registry, username: config.require("username"), password: config.requireSecret("password") },
    ],
    buildArgs: { VERSION: "1.0" },
    labels: { "org.opencontainers.image.title": "site" },
    cache: { registry: {} },
    builders: {
        endpoints: [
            { platform: "linux/amd64", address: config.require("amd64Builder"), tls },
            { platform: "linux/arm64", address: config.require("arm64Builder"), tls },
        ],
    },
});

export const ref = image.ref;
export const tagRefs = image.tagRefs;
