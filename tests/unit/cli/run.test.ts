import assert from "node:assert/strict";

import { packageVersion } from "../../../sdk/package";
import { runIn } from "./runConvert";

describe("the command pulumi-multiarch", () => {
    it("says its version and its commands", async () => {
        assert.deepEqual(await runIn("/", ["--version"]), { status: 0, stdout: `${packageVersion}\n`, stderr: "" });
        const { status, stdout } = await runIn("/", ["--help"]);
        assert.equal(status, 0);
        assert.match(stdout, /^ {2}convert +turns/m);
    });

    it("says all about a command in two ways", async () => {
        const help = await runIn("/", ["convert", "--help"]);
        assert.match(help.stdout, /--bake FILE/);
        assert.deepEqual(await runIn("/", ["help", "convert"]), help);
    });

    for (const [args, text] of [
        [[], /no command is given/],
        [["conver"], /no command "conver"/],
        [["toString"], /no command "toString"/],
        [["convert", "--languge", "yaml"], /--languge/],
        [["convert", "--language", "go"], /typescript, yaml/],
        [["convert", "--file", "missing.sh"], /missing\.sh cannot be read \(ENOENT\)/],
        [["convert", "--file", "a", "--bake", "b"], /exclude each other/],
        [["convert", "--target", "app"], /are for --bake/],
        [["convert", "--", "docker", "run", "x"], /is no build/],
        [["convert", "--", "docker", "buildx", "bake"], /convert --bake docker-bake\.hcl/],
        [["convert"], /has no docker buildx build in it/],
    ] as const) {
        it(`ends with status 2 for ${args.join(" ") || "nothing"}, and points to the help`, async () => {
            const { status, stdout, stderr } = await runIn("/", args);
            assert.equal(status, 2);
            assert.equal(stdout, "");
            assert.match(stderr, text);
            assert.match(stderr, /--help/);
        });
    }
});
