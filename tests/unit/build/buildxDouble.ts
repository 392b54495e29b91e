import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { buildPlatform, type BuildOptions } from "../../../sdk/build/build";
import type { BuildProgress } from "../../../sdk/build/progress";
import type { BuildRequest } from "../../../sdk/build/request";
import { MultiArchError } from "../../../sdk/errors";
import { captured, metadata, requestOf } from "./testRequests";

// A program of a few lines stands in for buildx: it plays back what the real one wrote, and notes what it was given.
// That the arguments mean to buildx what they are meant to is for the integration tests to show.
const buildxDouble = `#!/bin/sh
set -e
case "$1" in
version) echo "github.com/docker/buildx v0.35.0 abc"; exit ;;
create) { echo "$@"; env; find "$DOCKER_CONFIG/.." -type f; } > "$RECORD/create"; exit ;;
esac
tries=$(($(cat "$RECORD/tries" 2> /dev/null || echo 0) + 1))
echo "$tries" > "$RECORD/tries"
{ echo "$@"; } > "$RECORD/argv"; env > "$RECORD/env"
while [ $# -gt 0 ]; do
    case "$1" in
    --metadata-file) file="$2" ;;
    --secret) cat "\${2##*src=}" > "$RECORD/secret" ;;
    --file) cp "$2" "$RECORD/dockerfile" ;;
    esac
    shift
done
cp "$DOCKER_CONFIG/config.json" "$RECORD/config.json"
play="$RECORD/play$tries"; [ -f "$play" ] || play="$RECORD/play"
if [ "$(cat "$play")" = hang ]; then echo $$ > "$RECORD/pid"; exec sleep 60; fi
cat "$play" >&2
if grep -q ^ERROR "$play"; then exit 1; fi
cp "$RECORD/metadata" "$file"
`;

/** A buildx that plays back, new for each test. */
export interface BuildxDouble {
    readonly folder: string;
    readonly options: BuildOptions & { progress: BuildProgress[] };
    /** Says what a try prints; `play1` only what the first one does. */
    readonly play: (text: string, name?: string) => void;
    /** What buildx was given. */
    readonly recorded: (name: string) => string;
    readonly request: (more?: Partial<BuildRequest>) => BuildRequest;
    readonly failureOf: (more?: Partial<BuildRequest>, extra?: BuildOptions) => Promise<MultiArchError>;
    readonly assertNothingLeft: () => void;
}

/** What the real one wrote. */
export const replay = (name: string): string => `${captured(name).join("\n")}\n`;

/** Gives each test of a suite a double of its own. */
export function useBuildxDouble(): BuildxDouble {
    // Filled before each test, so that a test reads it like a constant.
    const current = {} as { -readonly [Key in keyof BuildxDouble]: BuildxDouble[Key] };
    let record: string;
    beforeEach(() => {
        const folder = mkdtempSync(path.join(tmpdir(), "build-"));
        record = path.join(folder, "record");
        mkdirSync(record);
        const buildx = path.join(folder, "buildx");
        writeFileSync(buildx, buildxDouble.replaceAll("$RECORD", record), { mode: 0o755 });
        writeFileSync(path.join(record, "metadata"), metadata);
        const progress: BuildProgress[] = [];
        current.folder = folder;
        current.options = {
            env: { PATH: "/usr/bin:/bin", MULTIARCH_BUILDX: buildx, BUILDX_BUILDER: "mine" },
            place: { base: path.join(folder, "private") },
            pauseSeconds: 0.01,
            onProgress: (event) => progress.push(event),
            progress,
        };
    });
    afterEach(() => {
        rmSync(current.folder, { recursive: true, force: true });
    });
    const request = (more: Partial<BuildRequest> = {}): BuildRequest => {
        return requestOf({ baseDirectory: current.folder, ...more });
    };
    return Object.assign(current, {
        play: (text: string, name = "play"): void => {
            writeFileSync(path.join(record, name), text);
        },
        recorded: (name: string): string => readFileSync(path.join(record, name), "utf8"),
        request,
        async failureOf(more: Partial<BuildRequest> = {}, extra: BuildOptions = {}): Promise<MultiArchError> {
            try {
                await buildPlatform(request(more), { ...current.options, ...extra });
            } catch (error) {
                assert.ok(error instanceof MultiArchError, String(error));
                assert.equal(error.fields.platform, "linux/arm64");
                return error;
            }
            return assert.fail("the build succeeded");
        },
        assertNothingLeft(): void {
            assert.deepEqual(readdirSync(path.join(current.folder, "private")), []);
        },
    });
}
