import { readFileSync } from "node:fs";
import * as path from "node:path";
import type { BuildRequest } from "../../../sdk/build/request";

const digest = `sha256:${"a".repeat(64)}`;

/** What a buildx of a test writes as metadata. */
export const metadata = JSON.stringify({
    "containerimage.digest": digest,
    "containerimage.descriptor": { mediaType: "application/vnd.oci.image.manifest.v1+json", digest, size: 856 },
});

/** A small request, with what a test needs of it. */
export function requestOf(more: Partial<BuildRequest> = {}): BuildRequest {
    return {
        platform: "linux/arm64",
        node: {
            name: "arm",
            platform: "linux/arm64",
            address: "tcp://10.0.0.7:1234",
            emulation: "never",
            property: "builders.endpoints[0]",
        },
        repository: "registry.example.com/team/app",
        context: { location: "./app" },
        buildArgs: {},
        secrets: {},
        registriesConfig: "{}",
        timeoutSeconds: 60,
        baseDirectory: "/project",
        ...more,
    };
}

/** The lines of a real run of `buildx build --progress rawjson`, captured with buildx 0.35.0 and BuildKit 0.31.1. */
export function captured(name: string): string[] {
    const text = readFileSync(path.join(__dirname, "fixtures", `${name}.rawjson`), "utf8");
    return text.split("\n").filter((line) => line !== "");
}
