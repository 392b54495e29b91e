import assert from "node:assert/strict";
import { MultiArchError } from "../../sdk/errors";

describe("the text of an error", () => {
    it("names place, reason, lines and the next step", () => {
        const { message } = new MultiArchError("builder-refused", {
            what: "the builder refuses",
            platform: "linux/arm64",
            builder: "tcp://10.0.0.7:1234",
            property: "builders.endpoints[0].address",
            lines: ["one", "two"],
            next: "Do this.",
        });
        assert.deepEqual(message.split("\n"), [
            "linux/arm64, builder tcp://10.0.0.7:1234: the builder refuses [builder-refused]",
            "  property: builders.endpoints[0].address",
            "  | one",
            "  | two",
            "  next: Do this.",
        ]);
    });

    it("holds no control characters, and no line that is not its own", () => {
        const evil = "a\u001b[2Kb\r\n  next: c\u009b";
        const fields = { what: evil, platform: evil, builder: evil, property: evil, lines: ["x\u001b"], next: evil };
        const { message } = new MultiArchError("build-failed", fields);
        assert.equal(message.split("\n").length, 4);
        // eslint-disable-next-line no-control-regex -- control characters are what this is about
        assert.doesNotMatch(message, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
        assert.match(message, /a\\x1b\[2Kb\\x0d\\n {2}next: c\\x9b \[build-failed\]$/m);
    });
});
