import { readdirSync } from "node:fs";
import { join } from "node:path";

import { loadTools } from "../support/toolLibrary";
import { runTool } from "../support/tools";

const folder = join(__dirname, "..", "..", "sdk", "builders", "ec2", "hostScripts");

describe("the scripts of a builder's host", () => {
    it("have nothing that shellcheck objects to", async () => {
        const { ensureHostRoot } = await loadTools();
        await ensureHostRoot();
        const scripts = readdirSync(folder).map((name) => join(folder, name));
        await runTool("shellcheck", ["--external-sources", `--source-path=${folder}`, ...scripts]);
    });
});
