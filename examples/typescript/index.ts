import * as pulumi from "@pulumi/pulumi";
import { MultiArchImage } from "pulumi-multiarch";

// `npm start` sets all of these for the registry and the builders that it starts.
const config = new pulumi.Config();
const registry = config.require("registry");
const tls = {
    ca: config.require("builderCa"),
    cert: config.require("builderCert"),
    key: config.requireSecret("builderKey"),
};

const image = new MultiArchImage("hello", {
    context: { location: "../hello" },
    platforms: ["linux/amd64", "linux/arm64"],
    repository: `${registry}/team/hello`,
    tags: ["1.0.0", "latest"],
    registries: [
        { address: registry, username: config.require("username"), password: config.requireSecret("password") },
    ],
    cache: { registry: {} },
    builders: {
        endpoints: [
            { platform: "linux/amd64", address: config.require("amd64Builder"), tls },
            { platform: "linux/arm64", address: config.require("arm64Builder"), tls },
        ],
    },
    emulation: config.get<"allow" | "never">("emulation") ?? "never",
});

export const indexDigest = image.indexDigest;
export const ref = image.ref;
export const tagRefs = image.tagRefs;
export const platformDigests = image.platformDigests;
