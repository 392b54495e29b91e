import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const server = join(__dirname, "..", "..", "dist", "plugin", "server.js");

/** The engine starts the plugin for every command, so what it loads is paid for each time. */
describe("the start of the plugin", () => {
    it("does not load the SDK, which takes several times as long as all the rest", () => {
        const script = `require(process.argv[1]); console.log(JSON.stringify(Object.keys(require.cache)))`;
        const { stdout, stderr } = spawnSync(process.execPath, ["-e", script, server], { encoding: "utf8" });
        assert.equal(stderr, "");
        const loaded = JSON.parse(stdout) as string[];
        assert.ok(loaded.includes(server));
        const sdk = loaded.filter((file) => /@pulumi\/pulumi\/(?!proto\/)/.test(file));
        assert.deepEqual(sdk, []);
        const rarelyUsed = loaded.filter((file) => /node_modules\/(ws|@aws-sdk|@sigstore)\//.test(file));
        assert.deepEqual(rarelyUsed, []);
    });
});
