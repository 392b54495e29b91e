import assert from "node:assert/strict";

import { fromStruct, toCheckFailures, toDiffResponse, toServiceError, toStruct } from "../../../sdk/plugin/answers";

describe("answers to the engine", () => {
    it("survive output that was cut in the middle of a character", () => {
        const { details = "" } = toServiceError(new Error("last line \ud83d"));
        assert.equal(details.isWellFormed(), true);
        // What gRPC for Node does with it: https://github.com/grpc/grpc-node (server, status details)
        assert.doesNotThrow(() => encodeURI(details));
    });

    it("leave out what is undefined, at any depth", () => {
        assert.deepEqual(fromStruct(toStruct({ a: undefined, b: { c: undefined, d: 1 } })), { b: { d: 1 } });
    });

    it("say what is wrong with an input, where, and what to do, and leave its value out", () => {
        const [first, second] = toCheckFailures([
            { property: "dockerfile.location", reason: "there is none", code: "context-missing" },
            { property: "tags[0]", reason: "is a tag of two", next: "Take one." },
        ]);
        assert.equal(first?.getProperty(), "", "the engine prints the value of a property that is named");
        assert.equal(
            first.getReason(),
            "dockerfile.location: there is none [context-missing]\n  next: Check the path: it starts at the folder of the program.",
        );
        assert.equal(second?.getReason(), "tags[0]: is a tag of two [input-invalid]\n  next: Take one.");
    });

    it("name each changed input once, beside the paths of its parts", () => {
        const changes = { "buildArgs.A": "update", "buildArgs.B": "add", "tags[0]": "delete" } as const;
        const response = toDiffResponse({ changed: true, changes, replaces: [] });
        assert.deepEqual(response.getDiffsList(), ["buildArgs", "tags"]);
        assert.equal(response.getDetaileddiffMap().getLength(), 3);
    });
});
