import assert from "node:assert/strict";

import { createSiblingBoard, groupOf } from "../../../sdk/resources/siblings";

const platforms = ["linux/amd64", "linux/arm64"];

describe("platforms of one index", () => {
    it("builds those together that have to be built", async () => {
        const board = createSiblingBoard();
        board.decide("g", "linux/amd64", "build");
        board.decide("g", "linux/arm64", "build");
        assert.deepEqual(await board.findToBuild("g", platforms), platforms);
    });

    it("asks nothing of a platform that stays as it is", async () => {
        const board = createSiblingBoard();
        board.decide("g", "linux/amd64", "keep");
        board.decide("g", "linux/arm64", "build");
        assert.deepEqual(await board.findToBuild("g", platforms), ["linux/arm64"]);
    });

    it("waits for a sibling that is still to be checked", async () => {
        const board = createSiblingBoard();
        board.decide("g", "linux/arm64", "build");
        const found = board.findToBuild("g", platforms, 5_000);
        board.decide("g", "linux/amd64", "keep");
        assert.deepEqual(await found, ["linux/arm64"]);
    });

    it("counts a sibling that stays silent as one to be built", async () => {
        const board = createSiblingBoard();
        board.decide("g", "linux/arm64", "build");
        assert.deepEqual(await board.findToBuild("g", platforms, 10), platforms);
    });

    it("keeps images of other names and repositories apart", () => {
        const urn = "urn:pulumi:dev::p::multiarch:index:MultiArchImage$multiarch:index:PlatformImage::app-linux-arm64";
        const other = urn.replace("app-", "web-");
        const group = groupOf(urn, "linux/arm64", "r/app");
        assert.equal(group, groupOf(urn.replace("arm64", "amd64"), "linux/amd64", "r/app"));
        assert.notEqual(group, groupOf(other, "linux/arm64", "r/app"));
        assert.notEqual(group, groupOf(urn, "linux/arm64", "r/other"));
    });
});
