import * as pulumi from "@pulumi/pulumi";
import { MultiArchImage } from "pulumi-multiarch";

// The script runs docker buildx create, docker buildx rm too. Builders, accounts and tags are inputs here.

const config = new pulumi.Config();
// The variable REPOSITORY of the script
const repository = config.require("repository");
// The variable VERSION of the script
const version = config.require("version");
// Where BuildKit for linux/amd64 listens: tcp://host:1234
const amd64Builder = config.require("amd64Builder");
const arm64Builder = config.require("arm64Builder");
const builderCa = config.require("builderCa");
const builderCert = config.require("builderCert");
const builderKey = config.requireSecret("builderKey");

const tls = { ca: builderCa, cert: builderCert, key: builderKey };

// The cache has one scope for each platform now, so the first build finds it empty.
const image = new MultiArchImage("image", {
    context: { location: "../../app" },
    platforms: ["linux/amd64", "linux/arm64"],
    repository,
    tags: [version, "latest"],
    buildArgs: { VERSION: version },
    annotations: { index: { "org.opencontainers.image.title": "site" } },
    cache: { registry: { ref: `${repository}:cache` } },
    builders: {
        endpoints: [
            { platform: "linux/amd64", address: amd64Builder, tls },
            { platform: "linux/arm64", address: arm64Builder, tls },
        ],
    },
});

export const indexDigest = image.indexDigest;
export const ref = image.ref;
