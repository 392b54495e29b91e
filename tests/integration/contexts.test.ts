import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { serveFiles, type FileServer } from "../support/fileServer";
import { useImageStack } from "../support/imageStack";
import { writeOciLayout } from "../support/ociLayout";
import { runTool } from "../support/tools";

const dockerfile = [
    "FROM scratch",
    "COPY main.txt /",
    "COPY --from=folder folder.txt /",
    "COPY --from=image /etc/os-release /image.txt",
    "COPY --from=repo repo.txt /",
    "COPY --from=layout layout.txt /",
].join("\n");

/** Contexts that are no folders, from the machine and from servers that the builder reaches. */
describe("a context", () => {
    const stack = useImageStack(() => ({ platforms: ["linux/amd64"] }));
    let server: FileServer;
    let served: string;

    beforeEach(async () => {
        served = join(stack.folder, "served");
        mkdirSync(served);
        server = await serveFiles(served, stack.world.network.gateway);
    });
    afterEach(() => server.close());

    /** Commits files to the branch main of a repository on the server, and gives its address. */
    const commit = async (name: string, files: Record<string, string>): Promise<string> => {
        const work = join(stack.folder, `${name}.work`);
        const bare = join(served, `${name}.git`);
        const env = { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" };
        const git = (cwd: string, ...args: string[]) => {
            const who = ["-c", "user.name=tests", "-c", "user.email=tests@example.com"];
            return runTool("git", [...who, ...args], { cwd, env });
        };
        mkdirSync(join(work, "sub"), { recursive: true });
        for (const [path, text] of Object.entries(files)) {
            writeFileSync(join(work, path), text);
        }
        await git(work, "init", "--quiet", "--initial-branch", "main");
        await git(work, "add", ".");
        await git(work, "commit", "--quiet", "--message", "all");
        await git(stack.folder, "clone", "--quiet", "--bare", work, `${bare}.new`);
        await git(`${bare}.new`, "update-server-info");
        await runTool("rm", ["-rf", bare]);
        await runTool("mv", [`${bare}.new`, bare]);
        return `${server.url}/${name}.git`;
    };

    const built = async (digest: string): Promise<(path: string) => string> => {
        const folder = join(stack.folder, "..", `pulled-${digest.slice(7, 15)}`);
        await stack.view.pull(`${stack.repository}@${digest}`, folder);
        return (path) => readFileSync(join(folder, path), "utf8");
    };
    const upDigest = async (): Promise<string> => {
        const { outputs } = await stack.up();
        return (outputs["platformDigests"]?.value as Record<string, string>)["linux/amd64"] ?? "";
    };

    it("may be a folder of a git repository, with named ones from a folder, an image, git and an OCI layout", async () => {
        const app = await commit("app", { "sub/Dockerfile": dockerfile, "sub/main.txt": "main 1" });
        const repo = await commit("repo", { "repo.txt": "repo" });
        mkdirSync(join(stack.folder, "data"));
        writeFileSync(join(stack.folder, "data", "folder.txt"), "folder");
        writeFileSync(join(stack.folder, "layout.txt"), "layout");
        await runTool("tar", ["-cf", "layout.tar", "layout.txt"], { cwd: stack.folder });
        const layout = writeOciLayout(join(stack.folder, "layout"), readFileSync(join(stack.folder, "layout.tar")));
        stack.args = {
            platforms: ["linux/amd64"],
            context: {
                location: `${app}#main:sub`,
                named: {
                    folder: { location: "./data" },
                    image: { location: "docker-image://alpine:latest" },
                    repo: { location: `${repo}#main` },
                    layout: { location: `oci-layout://./layout@${layout}` },
                },
            },
        };
        const first = await upDigest();
        const read = await built(first);
        assert.deepEqual(["main.txt", "folder.txt", "repo.txt", "layout.txt"].map(read), [
            "main 1",
            "folder",
            "repo",
            "layout",
        ]);
        assert.match(read("image.txt"), /NAME=/);
        assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 4 });

        await commit("app", { "sub/main.txt": "main 2" });
        const second = await upDigest();
        assert.equal((await built(second))("main.txt"), "main 2");
        writeFileSync(join(stack.folder, "data", "folder.txt"), "folder 2");
        assert.equal((await built(await upDigest()))("folder.txt"), "folder 2");
    });

    it("may be a tarball, known by its bytes", async () => {
        const pack = async (text: string): Promise<void> => {
            writeFileSync(join(stack.folder, "Dockerfile"), "FROM scratch\nCOPY main.txt /\n");
            writeFileSync(join(stack.folder, "main.txt"), text);
            await runTool("tar", ["-czf", join(served, "app.tar.gz"), "Dockerfile", "main.txt"], { cwd: stack.folder });
        };
        await pack("one");
        stack.args = { platforms: ["linux/amd64"], context: { location: `${server.url}/app.tar.gz` } };
        assert.equal((await built(await upDigest()))("main.txt"), "one");
        assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 4 });
        await pack("two");
        assert.equal((await built(await upDigest()))("main.txt"), "two");
    });
});
