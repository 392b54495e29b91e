import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { BuildReport } from "../../sdk";
import { writeContext } from "../support/images";
import { useImageStack } from "../support/imageStack";
import { runTool } from "../support/tools";

/** Builders that the user has made with buildx: used as they are, by a real engine. Rules 5 and 6 for this kind. */
describe("a builder of the user's own buildx", () => {
    const stack = useImageStack();

    const userStore = (): string => join(stack.env["DOCKER_CONFIG"] ?? "", "buildx");

    /** Makes the builder `team` with the builders of the world as its nodes, the way a user does. */
    const createTeam = async (): Promise<void> => {
        const files = join(stack.env["HOME"] ?? "", ".pulumi-tests-tls");
        mkdirSync(files, { recursive: true });
        for (const [architecture, { endpoint }] of Object.entries(stack.world.builders)) {
            const tls = endpoint.tls as { ca: string; cert: string; key: string };
            const options = Object.entries({ cacert: tls.ca, cert: tls.cert, key: tls.key }).map(([name, text]) => {
                const file = join(files, `${architecture}-${name}.pem`);
                writeFileSync(file, text, { mode: 0o600 });
                return `${name}=${file}`;
            });
            const append = architecture === "amd64" ? [] : ["--append"];
            const node = ["--node", `team-${architecture}`, "--driver-opt", options.join(",")];
            const platform = ["--platform", endpoint.platform];
            const args = ["create", "--name", "team", "--driver", "remote", ...append, ...node, ...platform];
            await runTool("buildx", [...args, endpoint.address], { env: { BUILDX_CONFIG: userStore() } });
        }
    };

    /** Every file of the store, with its bytes and the time of its last change. */
    const storeFiles = (): Record<string, [string, number]> => {
        const names = readdirSync(userStore(), { recursive: true }).map(String);
        const files = names.map((name) => join(userStore(), name)).filter((file) => statSync(file).isFile());
        assert.ok(files.some((file) => file.endsWith("instances/team")));
        return Object.fromEntries(
            files.map((file) => [file, [readFileSync(file, "base64"), statSync(file).mtimeMs]] as const),
        );
    };

    it("builds each platform on the node that has it, and its store stays as it was, to the byte", async () => {
        await createTeam();
        const before = storeFiles();
        writeContext(stack.folder, "one");
        stack.args = { builders: { named: [{ name: "team" }] } };
        const { outputs } = await stack.up();
        const builds = outputs["builds"]?.value as Record<string, BuildReport>;
        for (const architecture of ["amd64", "arm64"]) {
            assert.equal(builds[`linux/${architecture}`]?.builder, `buildx builder team, node team-${architecture}`);
        }
        const { platforms } = await stack.view.inspect(`${stack.repository}:latest`, stack.folder);
        assert.deepEqual(platforms.sort(), ["linux/amd64", "linux/arm64"]);
        assert.deepEqual(storeFiles(), before);
        assert.deepEqual(readdirSync(stack.env["DOCKER_CONFIG"] ?? ""), ["buildx"]);
    });

    it("serves one platform beside an endpoint for another, and is picked by its name", async () => {
        await createTeam();
        writeContext(stack.folder, "mixed");
        const { amd64, arm64 } = stack.world.builders;
        stack.args = {
            builders: {
                endpoints: [amd64.endpoint, arm64.endpoint],
                named: [{ name: "team", platforms: ["linux/arm64"] }],
            },
            platformOverrides: { "linux/arm64": { builder: "team" } },
        };
        const { outputs } = await stack.up();
        const builds = outputs["builds"]?.value as Record<string, BuildReport>;
        assert.equal(builds["linux/amd64"]?.builder, amd64.endpoint.address);
        assert.equal(builds["linux/arm64"]?.builder, "buildx builder team, node team-arm64");
    });

    it("is refused when no node is native, has the platform, or is there at all, and nothing is pushed", async () => {
        await createTeam();
        writeContext(stack.folder, "one");
        const emulated = process.arch === "arm64" ? "linux/amd64" : "linux/arm64";
        stack.args = { builders: { named: [{ name: "team" }] }, emulation: "never" };
        assert.match(
            await stack.upFails(),
            new RegExp(
                `${emulated}, builder buildx builder team, node .*\\[builder-emulated\\]\\n\\s+property: builders\\.named`,
            ),
        );
        stack.args = { builders: { named: [{ name: "team" }] }, platforms: ["linux/s390x"] };
        assert.match(await stack.upFails(), /it has linux\/amd64, linux\/arm64 \[builder-wrong-platform\]/);
        stack.args = { builders: { named: [{ name: "nobodys" }] } };
        assert.match(
            await stack.upFails(),
            /no builder nobodys: it has team .*\[builder-unknown\]\n.*named\[0\]\.name/,
        );
        assert.deepEqual(stack.view.pushedManifests(stack.repository), []);
    });
});
