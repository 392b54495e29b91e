import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import * as pulumi from "@pulumi/pulumi";

import { writeContext } from "../support/images";
import { useImageStack } from "../support/imageStack";
import { watchProcesses } from "../support/processes";

const token = "tok-3n-Ver1-S3cret";
const argument = "arg-Ver1-S3cret-too";

/** Takes long enough to be looked at while it runs. */
const dockerfile = [
    "FROM alpine:latest AS build",
    "COPY content.txt /",
    "ARG KEY",
    'RUN --mount=type=secret,id=token sleep 2; cat /run/secrets/token; test "$(cat /run/secrets/token)" = "$(cat /content.txt)"',
    "FROM scratch",
    "COPY --from=build /content.txt /built.txt",
    "COPY content.txt /other.txt",
].join("\n");

/** Rule 7: secrets stay secret. */
describe("a secret", () => {
    const stack = useImageStack(() => ({
        platforms: ["linux/amd64"],
        secrets: { token },
        buildArgs: { KEY: pulumi.secret(argument) },
    }));

    const secretsOf = (): string[] => {
        const tls = stack.world.builders.amd64.endpoint.tls as { key: string };
        // One line of the key is enough to know it, and survives any change of line breaks.
        const line = tls.key.split("\n").find((text) => text.length > 30 && !text.includes("-----"));
        assert.ok(line);
        const basic = Buffer.from(`${stack.world.username}:${stack.world.password}`).toString("base64");
        return [token, argument, stack.world.password, basic, line];
    };
    const assertFree = (text: string, where: string): void => {
        for (const secret of secretsOf()) {
            assert.equal(text.includes(secret), false, `${where} holds ${secret.slice(0, 6)}...`);
        }
    };

    /** The file itself: an export decrypts it. */
    const readState = (): string => {
        const file = listFiles(join(stack.folder, "..", "state")).find((path) => path.endsWith("/test.json"));
        return readFileSync(file ?? "", "utf8");
    };

    it("is in no argv, no output, no clear state and no file afterwards", async () => {
        writeContext(stack.folder, token, dockerfile.replace("COPY content.txt /other.txt", "COPY Dockerfile /"));
        const watch = watchProcesses();
        const { outputs } = await stack.up();
        const seen = watch.stop();
        assert.ok(
            [...seen].some((argv) => argv.includes("buildx build") || argv.includes(" build --")),
            "the build was seen among the processes",
        );
        seen.forEach((argv) => assertFree(argv, "argv"));
        assertFree(stack.output(), "the output");
        const files = listFiles(join(stack.folder, "..")).filter((path) => !path.endsWith("content.txt"));
        assert.ok(
            files.some((path) => path.endsWith("test.json")),
            "the state is among the files",
        );
        for (const file of files) {
            assertFree(readFileSync(file, "latin1"), file);
        }
        assert.equal(outputs["ref"]?.secret, false, "what is no secret stays readable");
        const { manifests } = await stack.view.manifest(`${stack.repository}:latest`);
        const config = await stack.view.config(`${stack.repository}@${manifests[0]?.digest ?? ""}`);
        assertFree(JSON.stringify(config), "the image");
    });

    it("stays one in the state inside of outputs, where the program forgot to mark it, and after a refresh", async () => {
        writeContext(stack.folder, "one");
        const { registry, username, password, builders } = stack.world;
        const forgotten = "f0rg0tten-S3cret";
        stack.args = {
            ...stack.args,
            registries: pulumi.output([{ address: registry, username, password: pulumi.output(password) }]),
            secrets: pulumi.output({ token, other: forgotten }),
            builders: { endpoints: pulumi.output([builders.amd64.endpoint]) },
        };
        const assertStateFree = (when: string): void => {
            const state = readState();
            assertFree(state, `the state ${when}`);
            assert.equal(state.includes(forgotten), false, when);
            assert.ok(state.includes(username), "what is no secret stays readable");
        };
        await stack.up();
        assertStateFree("after up");
        await stack.stack.refresh();
        assertStateFree("after refresh");
        const { summary } = await stack.up();
        assert.deepEqual(summary.resourceChanges, { same: 4 });
        assertStateFree("after another up");
        assertFree(stack.output(), "the output");
    });

    it("may be the repository and a tag, which nothing in the state shows, and neither do files of the context", async () => {
        writeContext(stack.folder, "one");
        const tag = "tag-n0b0dy-knows";
        stack.args = { ...stack.args, repository: pulumi.secret(stack.repository), tags: [pulumi.secret(tag)] };
        const { outputs } = await stack.up();
        assert.deepEqual(outputs["tagRefs"], { value: [`${stack.repository}:${tag}`], secret: true });
        assert.equal(outputs["ref"]?.secret, true);
        assert.equal(outputs["indexDigest"]?.secret, false, "what is no secret stays readable");
        const assertHidden = (when: string): void => {
            const state = readState();
            assert.equal(state.includes(stack.repository), false, when);
            assert.equal(state.includes(tag), false, when);
            for (const image of resourcesOf(state, "multiarch:index:PlatformImage")) {
                assert.ok("ciphertext" in (image.outputs["contextFiles"] as object), when);
            }
        };
        assertHidden("after up");
        await stack.stack.refresh();
        assertHidden("after refresh");
        assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 4 });
        writeContext(stack.folder, "two");
        assert.match((await stack.stack.preview()).stdout, /builds again: 1 file changed: content\.txt/);
        await stack.up();
        assertHidden("after an update");
        assert.equal(stack.output().includes(tag), false, "the output");
    });

    it("is replaced in the lines of a failing step", async () => {
        writeContext(
            stack.folder,
            "one",
            'FROM alpine:latest\nRUN --mount=type=secret,id=token echo "it is $(cat /run/secrets/token)" && false\n',
        );
        const printed = await stack.upFails();
        assert.match(printed, /it is \[secret\]/);
        assertFree(printed, "the output");
    });

    it("is named in a warning when it is a build argument that the image shows, and only then", async () => {
        const shows = /warning: the image shows the secret build argument KEY to everyone who can pull it/;
        writeContext(stack.folder, "one", "FROM alpine:latest AS other\nARG KEY\nRUN true\nFROM alpine\nRUN true\n");
        await stack.up();
        assert.doesNotMatch(stack.output(), shows);
        writeContext(stack.folder, "one", "FROM alpine:latest\nARG KEY\nRUN true\n");
        await stack.up();
        assert.match(stack.output(), shows);
        assertFree(stack.output(), "the output");
    });

    it("is refused as a build argument that others on the machine would see", async () => {
        writeContext(stack.folder, "one");
        stack.args = { ...stack.args, buildArgs: { PATH: pulumi.secret(argument) } };
        const printed = await stack.upFails();
        assert.match(printed, /buildArgs\.PATH: .*secrets/);
        assertFree(printed, "the output");
    });
});

function resourcesOf(state: string, type: string): { outputs: Record<string, unknown> }[] {
    const { checkpoint } = JSON.parse(state) as {
        checkpoint: { latest: { resources: { type: string; outputs: Record<string, unknown> }[] } };
    };
    const found = checkpoint.latest.resources.filter((resource) => resource.type === type);
    assert.notEqual(found.length, 0);
    return found;
}

function listFiles(folder: string): string[] {
    return readdirSync(folder, { recursive: true })
        .map((name) => join(folder, String(name)))
        .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
}
