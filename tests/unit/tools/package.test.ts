import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const repository = resolve(__dirname, "../../..");
const compiled = ["index.js", "index.js.map", "index.d.ts", "plugin/main.js", ".tsbuildinfo", ".stamp.json"];

/** What npm would publish, told by npm itself from a copy: the real dist may not be there. */
describe("the npm package", () => {
    let folder: string;
    beforeEach(() => {
        folder = mkdtempSync(join(tmpdir(), "package-"));
    });
    afterEach(() => rmSync(folder, { recursive: true, force: true }));

    it("holds the plugin and its types, and nothing that is only of use here", function () {
        this.timeout(60_000);
        const given = [
            "package.json",
            "bin",
            "schema.json",
            "PulumiPlugin.yaml",
            "README.md",
            "LICENSE",
            "CHANGELOG.md",
        ];
        for (const name of [...given, "AGENTS.md", "Pulumi.yaml", "tsconfig.json", ".gitignore"]) {
            cpSync(join(repository, name), join(folder, name), { recursive: true });
        }
        for (const name of ["sdk/index.ts", ".cache/env", "tests/x.test.ts", ...compiled.map((one) => `dist/${one}`)]) {
            mkdirSync(dirname(join(folder, name)), { recursive: true });
            writeFileSync(join(folder, name), "");
        }
        const args = ["pack", "--dry-run", "--json", "--ignore-scripts", "--offline"];
        const { stdout, stderr, status } = spawnSync("npm", args, { cwd: folder, encoding: "utf8" });
        assert.equal(status, 0, stderr);
        const [pack] = JSON.parse(stdout) as { files: { path: string }[] }[];
        assert.deepEqual(pack?.files.map(({ path }) => path).sort(), [
            ...["CHANGELOG.md", "LICENSE", "PulumiPlugin.yaml", "README.md"],
            ...["bin/pulumi-multiarch", "bin/pulumi-resource-multiarch"],
            ...["dist/index.d.ts", "dist/index.js", "dist/index.js.map", "dist/plugin/main.js"],
            ...["package.json", "schema.json"],
        ]);
    });
});
