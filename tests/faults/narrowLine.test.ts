import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import type { BuildReport } from "../../sdk";
import { writeContext } from "../support/images";
import { useImageStack } from "../support/imageStack";
import { startNarrowGateway, type NarrowGateway } from "../support/narrowGateway";
import { assertNothingLost } from "../support/nothingLost";

const contextBytes = 8_000_000;

/** The way to a builder is slow, or breaks while the context is sent. */
describe("a way to a builder", function () {
    this.timeout(180_000);
    let gateway: NarrowGateway | undefined;

    afterEach(async () => {
        const { world: place, repository, env } = stack;
        await assertNothingLost({ place, repositories: [repository], builders: [place.builders.amd64], env });
        await gateway?.stop();
    });
    const stack = useImageStack(() => ({ platforms: ["linux/amd64"] }));

    /** A context that cannot be made smaller, and a builder behind a gateway. */
    const prepare = async (bytesPerSecond?: number): Promise<NarrowGateway> => {
        const { amd64 } = stack.world.builders;
        gateway = await startNarrowGateway(amd64, bytesPerSecond);
        writeContext(stack.folder, stack.repository);
        writeFileSync(join(stack.folder, "app", "Dockerfile"), "FROM scratch\nCOPY content.bin /\n");
        writeFileSync(join(stack.folder, "app", "content.bin"), randomBytes(contextBytes));
        const endpoint = { ...amd64.endpoint, address: gateway.address, serverName: amd64.host.address };
        stack.args = { platforms: ["linux/amd64"], builders: { endpoints: [endpoint] } };
        return gateway;
    };

    it("that breaks while the context is sent is taken again, and the context is sent anew", async () => {
        const cut = (await prepare()).cutAfter(contextBytes / 2);
        const { outputs } = await stack.up();
        assert.ok(cut.hasCut());
        assert.match(stack.output(), /warning: retrying on tcp:\S+ \(try 2\), because/);
        assert.equal(await stack.view.digestOf(`${stack.repository}:latest`), outputs["indexDigest"]?.value);
    });

    it("that carries little is waited for: a context that takes long to send is no lost builder", async () => {
        const { sent } = await prepare(300_000);
        const begin = performance.now();
        const { outputs } = await stack.up();
        const seconds = (performance.now() - begin) / 1_000;
        // Longer than the builder may be silent before it is asked, twice over.
        assert.ok(sent() > contextBytes && seconds > 25, `${sent()} bytes in ${seconds} s`);
        assert.doesNotMatch(stack.output(), /try \d+ failed|retrying on/);
        const builds = outputs["builds"]?.value as Record<string, BuildReport>;
        assert.ok((builds["linux/amd64"]?.bytesSent ?? 0) >= contextBytes);
    });
});
