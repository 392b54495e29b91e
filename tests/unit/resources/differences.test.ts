import assert from "node:assert/strict";

import { asReplacement, findInputChanges } from "../../../sdk/resources/differences";
import { unknownValue } from "../../../sdk/resources/values";

describe("differences between inputs", () => {
    it("names the one build argument that changed, came or went", () => {
        const old = { buildArgs: { KEEP: "1", CHANGE: "1", GO: "1" } };
        const next = { buildArgs: { KEEP: "1", CHANGE: "2", COME: "1" } };
        assert.deepEqual(findInputChanges(old, next, ["buildArgs"]), {
            "buildArgs.CHANGE": "update",
            "buildArgs.GO": "delete",
            "buildArgs.COME": "add",
        });
    });

    it("names items of lists by their place", () => {
        assert.deepEqual(findInputChanges({ tags: ["1", "latest"] }, { tags: ["2", "latest", "x"] }, ["tags"]), {
            "tags[0]": "update",
            "tags[2]": "add",
        });
    });

    it("counts a value that is not known yet as changed", () => {
        assert.deepEqual(findInputChanges({ digest: "a" }, { digest: unknownValue }, ["digest"]), { digest: "update" });
        assert.deepEqual(findInputChanges({ a: { b: 1 } }, { a: unknownValue }, ["a"]), { a: "update" });
    });

    it("looks only at the inputs it is asked about", () => {
        assert.deepEqual(findInputChanges({ a: 1, b: 1 }, { a: 2, b: 2 }, ["b"]), { b: "update" });
    });

    it("turns changes into reasons for a new resource", () => {
        assert.deepEqual(asReplacement({ a: "update", b: "add", c: "delete" }), {
            a: "update-replace",
            b: "add-replace",
            c: "delete-replace",
        });
    });
});
