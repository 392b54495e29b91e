import { amd64, check } from "./cases";

describe("a Dockerfile", () => {
    check({
        "may have Windows line ends, a byte order mark, indents, tabs and any case": {
            text: "\ufeff# note\r\n  from\talpine  As\tx\r\nfrom x\r\ncopy \\\r\n --from=debian \\\r\n  / /\r\nRUN x\r\n",
            images: ["alpine:latest", "debian:latest"],
        },
        "goes on in the next line behind a backslash, over comments and empty lines": {
            text: "FROM \\  \n# FROM no\n\n   alpine\nRUN true \\\n# FROM no\n  && FROM no",
            images: ["alpine:latest"],
        },
        "does not go on behind two backslashes": {
            text: "FROM debian\nRUN echo \\\\\nFROM alpine",
            images: ["alpine:latest"],
        },
        "may escape with a backtick": {
            text: "# escape=`\nFROM `\nalpine\nRUN dir C:\\\nCOPY --from=debian `\n / /",
            images: ["alpine:latest", "debian:latest"],
        },
        "escapes with a backslash when the directive comes too late": {
            text: "# note\n# escape=`\nFROM \\\nalpine",
            images: ["alpine:latest"],
        },
        "may hold flags in quotes": {
            text: `FROM --platform="linux/arm64" alpine\nRUN --mount='type=bind,from=debian,target=/x' --network=none ls\nCOPY --from='x' / /\nCOPY --from=\\y / /`,
            images: ["alpine:latest linux/arm64", "debian:latest", "x:latest", "y:latest"],
        },
        "may hold mounts in CSV": {
            text: `FROM alpine\nRUN --mount='type=bind,"FROM=debian","target=/a,b"' --mount=type=tmpfs,target=/t ls`,
            images: ["alpine:latest", "debian:latest"],
        },
        "may hold a platform as an architecture or an operating system alone": {
            text: "FROM --platform=arm64 alpine AS a\nFROM --platform=Linux debian\nCOPY --from=a / /",
            options: { platform: "linux/arm/v7", buildPlatform: amd64 },
            images: ["alpine:latest linux/arm64", "debian:latest linux/amd64"],
        },
        "may hold instructions that are not known here": {
            text: "FROM alpine\nFETCH --from=x /y\nADD --from=no a b",
            images: ["alpine:latest"],
        },
    });
});

describe("here-documents", () => {
    check({
        "hold no instructions": {
            text: [
                "FROM alpine",
                "RUN <<EOF",
                "FROM no",
                "EOF",
                'RUN <<"A B" cat <<-C',
                "FROM no",
                "A B",
                "\tFROM no",
                "\tC",
                "RUN python3 << 'PY' && cat <<X",
                "COPY --from=no",
                "PY",
                "X",
                "ONBUILD COPY <<EOF /x",
                "FROM no",
                "EOF",
                "COPY --from=debian / /",
            ].join("\n"),
            images: ["alpine:latest", "debian:latest"],
        },
        "are not begun by what only looks like it": {
            text: [
                "FROM a",
                'RUN ["sh", "-c", "cat <<EOF"]',
                "FROM b",
                'RUN echo "<<EOF"',
                "FROM c",
                "RUN echo $((1<<2)) && cat <<<EOF",
                "FROM d",
                "CMD cat <<EOF",
                "FROM e",
                "RUN echo '<<EOF",
                "FROM f",
                "RUN x=${y@Q} cat <<EOF",
                "FROM g",
                "RUN cat \\<<EOF",
                "FROM alpine",
            ].join("\n"),
            images: ["alpine:latest"],
        },
    });
});
