import assert from "node:assert/strict";
import { hashContext } from "../../../sdk/context/hash";
import { addTo, createFolders } from "./folders";

type Named = Record<string, { location: string }>;

describe("the hash of a build with named contexts", () => {
    const folders = createFolders();
    after(() => {
        folders.remove();
    });

    async function digestOf(location: string, named: Named = {}): Promise<string> {
        return (await hashContext({ context: { location, named } })).digest;
    }

    const app = (): string => folders.make({ a: "1", ".dockerignore": "b", b: "" });

    it("depends on their names and contents, each with its own ignore file", async () => {
        const root = folders.make({ Dockerfile: "" });
        const one = app();
        const hash = (named: Named): Promise<string> => digestOf(root, named);
        const before = await hash({ app: { location: one } });
        assert.notEqual(before, await digestOf(root));
        assert.notEqual(before, await hash({ other: { location: one } }));
        addTo(one, { b: "changed" });
        assert.equal(before, await hash({ app: { location: one } }));
        addTo(one, { a: "2" });
        assert.notEqual(before, await hash({ app: { location: one } }));
    });

    it("does not depend on their order", async () => {
        const root = folders.make({ Dockerfile: "" });
        const [x, y] = [{ location: app() }, { location: "docker-image://alpine:3" }];
        assert.equal(await digestOf(root, { x, y }), await digestOf(root, { y, x }));
    });

    it("takes an OCI layout by its digest wherever that is, and without one by its index", async () => {
        const root = folders.make({ Dockerfile: "" });
        const layout = folders.make({ "index.json": "{}" });
        const hash = (location: string): Promise<string> => digestOf(root, { base: { location } });
        const digest = `sha256:${"a".repeat(64)}`;
        assert.equal(await hash(`oci-layout:///one@${digest}`), await hash(`oci-layout:///two:tag@${digest}`));
        const before = await hash(`oci-layout://${layout}:tag`);
        addTo(layout, { "index.json": '{"manifests":[]}' });
        assert.notEqual(await hash(`oci-layout://${layout}:tag`), before);
    });

    it("takes an image or a target by its text", async () => {
        const root = folders.make({ Dockerfile: "" });
        const hash = (location: string): Promise<string> => digestOf(root, { base: { location } });
        assert.notEqual(await hash("docker-image://alpine:3.20"), await hash("docker-image://alpine:3.21"));
        assert.notEqual(await hash("target:one"), await hash("target:two"));
    });
});
