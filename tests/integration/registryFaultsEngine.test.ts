import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import type { FaultKind } from "../support/faultKinds";
import { startFaultProxy, type Asker, type FaultProxy } from "../support/faultProxy";
import { writeContext } from "../support/images";
import { useImageStack } from "../support/imageStack";
import { viewRegistry } from "../support/registryView";
import { getWorld, type RegistryPlace } from "../support/world";

/** A few of the faults of docs/registry-faults.md through the real engine, one after the other in the life of a stack. */
describe("a stack whose registry has faults", () => {
    const stack = useImageStack();
    let behind: RegistryPlace;
    let proxy: FaultProxy;

    before(async () => {
        const world = await getWorld();
        behind = await world.startRegistry({ open: true });
        proxy = await startFaultProxy(world, behind, world.doubles.addresses[0] ?? "");
    });
    after(() => proxy.close());

    beforeEach(() => {
        stack.repository = stack.world.newRepository(proxy);
        const { registry: address, username, password } = proxy;
        stack.args = { registries: [{ address, username, password }], deletion: "untag", tags: ["v1", "latest"] };
        writeContext(stack.folder, "one");
    });

    const arm = (asker: Asker, request: string, kind: FaultKind) => proxy.arm({ asker, request, kind });
    const digestOf = (tag: string): Promise<string | undefined> => {
        return viewRegistry(behind).digestOf(`${stack.repository.replace(proxy.registry, behind.registry)}:${tag}`);
    };
    const urns = async (): Promise<string[]> => {
        const state = await stack.stack.exportStack();
        return (state.deployment as { resources: { urn: string }[] }).resources.map(({ urn }) => urn).sort();
    };

    it("fails with a code, keeps what is finished, and converges with the next command", async () => {
        const refusedPush = arm("builder", "PUT manifests/<digest>", "403");
        assert.match(await stack.upFails(), /\[registry-forbidden\]/);
        assert.ok(refusedPush.hasFired());
        assert.equal(await digestOf("latest"), undefined, "no tag before everything is there");

        const lostAnswer = arm("client", "PUT manifests/v1", "cut");
        const first = await stack.up();
        assert.ok(lostAnswer.hasFired());
        assert.equal(await digestOf("v1"), first.outputs["indexDigest"]?.value);

        writeFileSync(join(stack.folder, "app", "content.txt"), "two");
        arm("client", "PUT manifests/latest", "404");
        assert.match(await stack.upFails(), /\[registry-not-found\]/);
        assert.equal(await digestOf("latest"), first.outputs["indexDigest"]?.value, "it points to the old index");
        const second = await stack.up();
        assert.equal(await digestOf("latest"), second.outputs["indexDigest"]?.value);
        assert.deepEqual(second.summary.resourceChanges, { same: 4, update: 1 }, "the images were finished");

        const before = await urns();
        for (const kind of ["404", "403", "500"] as const) {
            const fault = arm("client", "GET manifests/<digest>", kind);
            const { stdout } = await stack.stack.refresh();
            assert.ok(fault.hasFired());
            assert.equal(stdout.includes("not refreshed, the state stays as it was"), kind !== "500");
            assert.deepEqual(await urns(), before, "what cannot be read changes no state");
        }

        await viewRegistry(behind).deleteManifest(`${stack.repository.replace(proxy.registry, behind.registry)}:v1`);
        await stack.stack.refresh();
        const repaired = await stack.up();
        assert.deepEqual(repaired.summary.resourceChanges, { same: 4, update: 1 }, "a tag that is gone is set again");
        assert.equal(await digestOf("v1"), second.outputs["indexDigest"]?.value);

        arm("client", "DELETE manifests/v1", "403");
        await assert.rejects(stack.stack.destroy());
        await stack.stack.destroy();
        assert.deepEqual([await digestOf("v1"), await digestOf("latest")], [undefined, undefined]);
        const there = viewRegistry(behind).pushedManifests(stack.repository);
        assert.deepEqual([...there].sort(), [...proxy.stored].sort(), "no manifest was deleted");
        assert.deepEqual(proxy.violations, []);
    });
});
