import assert from "node:assert/strict";
import { type BaseImageOptions, findBaseImages } from "../../../sdk/baseImages/dockerfile";
import { amd64, arm64, check, find } from "./cases";

describe("the base images of a Dockerfile", () => {
    const goService = `# syntax=docker/dockerfile:1
ARG GO_VERSION=1.21
FROM --platform=$BUILDPLATFORM golang:\${GO_VERSION}-alpine AS build
ARG TARGETOS TARGETARCH
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod \\
    # the cache of the compiler
    --mount=type=cache,target=/var/cache/go-build \\

    GOOS=$TARGETOS GOARCH=$TARGETARCH go build -o /out/app .
FROM alpine:latest
COPY --from=build /out/app /app
ENTRYPOINT ["/app"]
`;
    const nodeService = `FROM node:22 AS deps
COPY package*.json ./
RUN npm ci
FROM deps AS test
RUN --mount=type=bind,from=redis:7,source=/data,target=/data npm test
FROM node:22-slim AS final
COPY --from=deps --chown=node:node /node_modules /node_modules
COPY --from=ghcr.io/astral-sh/uv:0.5 /uv /bin/
COPY --link --from=deps /x /y
`;
    check({
        "are those of all the stages it needs": {
            text: goService,
            options: { platform: arm64, buildPlatform: amd64 },
            images: ["golang:1.21-alpine linux/amd64", "alpine:latest"],
        },
        "are for the platform that is built where the builder is no other": {
            text: goService,
            options: { platform: arm64 },
            images: ["golang:1.21-alpine", "alpine:latest"],
        },
        "do not include what the stage does not need": {
            text: nodeService,
            images: ["node:22", "node:22-slim", "ghcr.io/astral-sh/uv:0.5"],
        },
        "are those of the target alone": {
            text: nodeService,
            options: { target: "deps" },
            images: ["node:22"],
        },
        "include those its commands mount from": {
            text: nodeService,
            options: { target: "TEST" },
            images: ["node:22", "redis:7"],
        },
        "are none for a build from scratch": {
            text: "FROM scratch\nCOPY app /\n",
            images: [],
        },
        "do not include the frontend": {
            text: "# syntax=docker/dockerfile:1\nFROM alpine",
            images: ["alpine:latest"],
        },
        "are each named once for each platform": {
            text: [
                "FROM alpine AS a",
                "FROM docker.io/library/alpine:latest AS b",
                "FROM --platform=linux/arm64 alpine AS c",
                "FROM index.docker.io/library/alpine",
                "COPY --from=a / /",
                "COPY --from=b / /",
                "COPY --from=c / /",
            ].join("\n"),
            images: ["alpine:latest", "alpine:latest linux/arm64"],
        },
        "keep a digest, with and without a tag": {
            text: `FROM alpine:3@sha256:${"a".repeat(64)} AS x\nFROM alpine@sha256:${"b".repeat(64)}\nCOPY --from=x / /`,
            images: [`alpine:3@sha256:${"a".repeat(64)}`, `alpine@sha256:${"b".repeat(64)}`],
        },
        "may be in a registry with a port": {
            text: "FROM localhost:5000/team/base",
            images: ["localhost:5000/team/base:latest"],
        },
    });
});

describe("stages", () => {
    check({
        "are found by name, whatever its case, also in COPY and RUN": {
            text: "FROM alpine AS Base\nFROM debian AS tools\nFROM base\nCOPY --from=TOOLS / /\nRUN --mount=from=Tools,target=/x ls",
            images: ["alpine:latest", "debian:latest"],
        },
        "are found by number in COPY": {
            text: "FROM debian\nFROM busybox\nFROM alpine\nCOPY --from=0 / /",
            images: ["debian:latest", "alpine:latest"],
        },
        "have no number in FROM and RUN": {
            text: "FROM debian\nFROM 0\nRUN --mount=from=1,target=/x ls",
            images: ["0:latest", "1:latest"],
        },
        "are known below their FROM line only": {
            text: "FROM later AS early\nFROM alpine AS later\nFROM early",
            images: ["later:latest"],
        },
        "may take the name of the image they start from": {
            text: "FROM golang AS golang\nFROM golang AS golang\nFROM golang",
            images: ["golang:latest"],
        },
        "give what they trigger to the stages that start from them": {
            text: "FROM alpine AS base\nONBUILD COPY --from=busybox /bin /bin\nFROM base",
            images: ["alpine:latest", "busybox:latest"],
        },
        "trigger nothing in themselves": {
            text: "FROM alpine AS base\nONBUILD COPY --from=busybox /bin /bin",
            images: ["alpine:latest"],
        },
        "trigger nothing in the stage after the next": {
            text: [
                "FROM alpine AS one",
                "ONBUILD RUN --mount=from=more,target=/x ls",
                "FROM scratch AS two",
                "COPY --from=one / /",
                "FROM two AS three",
            ].join("\n"),
            images: ["alpine:latest"],
        },
        "can trigger a need for a stage with triggers": {
            text: [
                "FROM alpine AS root",
                "ONBUILD COPY --from=deep / /",
                "FROM root AS other",
                "FROM debian AS base",
                "ONBUILD COPY --from=other / /",
                "FROM base",
            ].join("\n"),
            images: ["alpine:latest", "debian:latest", "deep:latest"],
        },
        "may need each other in a circle, which ends the build and not the search": {
            text: "FROM alpine AS a\nCOPY --from=b / /\nFROM debian AS b\nCOPY --from=a / /",
            images: ["alpine:latest", "debian:latest"],
        },
    });
});

describe("named contexts", () => {
    const contexts = (named: Readonly<Record<string, string>>): Partial<BaseImageOptions> => ({
        namedContexts: Object.fromEntries(Object.entries(named).map(([name, location]) => [name, { location }])),
    });
    check({
        "take the place of an image, however either is written": {
            text: "FROM alpine\nCOPY --from=docker.io/library/debian:latest / /",
            options: contexts({ "docker.io/library/alpine:latest": "./folder", debian: "https://host/x.git" }),
            images: [],
        },
        "take the place of no other tag": {
            text: "FROM alpine:3.20",
            options: contexts({ alpine: "./folder" }),
            images: ["alpine:3.20"],
        },
        "take the place of a stage, with all it needs": {
            text: "FROM golang AS build\nCOPY --from=tools / /\nFROM alpine\nCOPY --from=build / /",
            options: contexts({ build: "./prebuilt" }),
            images: ["alpine:latest"],
        },
        "can be images": {
            text: "FROM --platform=linux/arm64 golang AS build\nFROM alpine\nCOPY --from=build / /\nCOPY --from=extra / /",
            options: contexts({ build: "docker-image://team/build", extra: "docker-image://ghcr.io/o/extra:1" }),
            images: ["docker.io/team/build:latest linux/arm64", "alpine:latest", "ghcr.io/o/extra:1"],
        },
        "can be nothing": {
            text: "FROM alpine",
            options: contexts({ alpine: "docker-image://scratch" }),
            images: [],
        },
        "do not take the place of a stage called context": {
            text: "FROM alpine AS context\nFROM context",
            options: contexts({ context: "docker-image://debian" }),
            images: ["alpine:latest"],
        },
    });
});

describe("what a Dockerfile does not tell", () => {
    const unresolved = (text: string, options: Partial<BaseImageOptions> = {}): unknown => {
        return findBaseImages(text, { platform: amd64, ...options });
    };
    const cases: [title: string, text: string, options: Partial<BaseImageOptions>, line: string, reason: RegExp][] = [
        [
            "an image whose tag has no value",
            "FROM alpine:$V",
            {},
            "FROM alpine:$V",
            /the tag .* missing; V has no value$/,
        ],
        ["no image at all", "FROM ${A}${B}", {}, "FROM ${A}${B}", /it is empty; A and B have no value$/],
        [
            "an image that an unknown build argument names",
            "ARG V=1\nARG W=x-$V\nFROM alpine:$W",
            { buildArgs: { V: undefined } },
            "FROM alpine:$W",
            /^the value of the build argument V is not known yet$/,
        ],
        ["a required value", "ARG V\nFROM alpine:${V:?say}", {}, "FROM alpine:${V:?say}", /^V: say$/],
        ["a name with upper-case letters", "FROM Alpine", {}, "FROM Alpine", /upper-case/],
        ["a variable where none is replaced", "FROM a\nCOPY --from=$V / /", {}, "COPY --from=$V", /no variable/],
        ["the same in a mount", "FROM a\nRUN --mount=from=$V ls", {}, "RUN --mount=from=$V", /no variable/],
        ["a stage that is not there", "FROM a\nCOPY --from=7 / /", {}, "COPY --from=7", /no stage 7/],
        ["a target that is not there", "FROM a", { target: "b" }, "b", /no stage of this name/],
        ["a platform that is none", "FROM --platform=linux/zx81 a", {}, "FROM --platform=linux/zx81 a", /zx81/],
        ["an empty platform", "FROM --platform=$P a", {}, "FROM --platform=$P a", /not a platform/],
        ["a line that makes no sense", "FROM a b", {}, "FROM a b", /FROM has one image/],
        ["nothing to build", "# nothing\n", {}, "FROM", /no FROM/],
        ["text without an end", "FROM a\nRUN <<EOF\n", {}, "RUN <<EOF", /EOF does not end/],
        ["two of a directive", "# escape=`\n# escape=`\nFROM a", {}, "# escape=`", /more than one escape/],
        ["an unknown escape character", "# escape=x\nFROM a", {}, "# escape=x", /backslash or a backtick/],
        [
            "a context that is no image",
            "FROM a",
            { namedContexts: { a: { location: "docker-image://A B" } } },
            "FROM a",
            /"A B" is not an image/,
        ],
    ];
    for (const [title, text, options, line, reason] of cases) {
        it(`is reported: ${title}`, () => {
            const found = unresolved(text, options) as ReturnType<typeof findBaseImages>;
            const texts = found.unresolved.map((one) => one.text);
            assert.deepEqual(texts, [line]);
            assert.match(found.unresolved[0]?.reason ?? "", reason);
        });
    }

    it("does not hide what it does tell", () => {
        const found = findBaseImages("FROM alpine\nCOPY --from=$V / /", { platform: amd64 });
        assert.deepEqual(found.images, [{ ref: "docker.io/library/alpine:latest", platform: amd64 }]);
        assert.equal(found.unresolved.length, 1);
    });

    it("does not matter in a stage that is not needed", () => {
        const text = "ARG V\nFROM alpine:$V AS x\nFROM debian";
        assert.deepEqual(find(text, { buildArgs: { V: undefined } }), ["debian:latest"]);
    });
});
