import assert from "node:assert/strict";

import { fromStruct, toDiffResponse, toServiceError, toStruct } from "../../../sdk/plugin/answers";

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

    it("name each changed input once, beside the paths of its parts", () => {
        const changes = { "buildArgs.A": "update", "buildArgs.B": "add", "tags[0]": "delete" } as const;
        const response = toDiffResponse({ changed: true, changes, replaces: [] });
        assert.deepEqual(response.getDiffsList(), ["buildArgs", "tags"]);
        assert.equal(response.getDetaileddiffMap().getLength(), 3);
    });
});
