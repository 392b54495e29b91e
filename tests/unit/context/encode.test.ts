import assert from "node:assert/strict";
import fc from "fast-check";
import { digestOf } from "../../../sdk/context/encode";

describe("the digest of a list of fields", () => {
    it("is equal only for equal lists", () => {
        const lists = fc.array(fc.string({ unit: fc.constantFrom("a", "1", ":"), maxLength: 3 }), { maxLength: 4 });
        fc.assert(
            fc.property(lists, lists, (one, other) => {
                assert.equal(digestOf(one).equals(digestOf(other)), JSON.stringify(one) === JSON.stringify(other));
            }),
        );
    });

    it("tells where one field ends and the next begins", () => {
        assert.ok(!digestOf(["ab", "c"]).equals(digestOf(["a", "bc"])));
        assert.ok(!digestOf(["ab"]).equals(digestOf(["ab", ""])));
    });

    it("takes text as its UTF-8 bytes", () => {
        assert.ok(digestOf(["é"]).equals(digestOf([Buffer.from([0xc3, 0xa9])])));
    });
});
