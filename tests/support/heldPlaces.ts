import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { BuilderTls } from "../../sdk/builders/node";
import { secondsUntil } from "./builderState";
import { createRegistryConfig } from "./registryConfig";
import { startRunner } from "./runner";
import { newStep } from "./steps";
import type { Builder, World } from "./world";

/** Builds of somebody else that hold the places of a builder. */
export interface HeldPlaces {
    /** Ends them all. The places are free a moment later. */
    end(): void;
}

/** Takes so many places on a builder, and holds them for a minute or until the end. */
export async function holdPlaces(world: World, builder: Builder, count: number): Promise<HeldPlaces> {
    const folder = mkdtempSync(join(tmpdir(), "held-places-"));
    const { address, platform, tls } = builder.endpoint;
    const node = {
        name: address,
        address,
        platform,
        tls: tls as BuilderTls,
        emulation: "allow" as const,
        maxParallelism: count,
        property: "builders.endpoints[0]",
    };
    const images = Array.from({ length: count }, (_, number) => {
        const location = join(folder, String(number));
        mkdirSync(location);
        writeFileSync(join(location, "content.txt"), location);
        return {
            platform,
            repository: world.newRepository(),
            context: { location },
            dockerfile: { inline: `FROM alpine:latest\nCOPY content.txt /\nRUN ${newStep(60)}\n` },
            buildArgs: {},
            secrets: {},
            registriesConfig: createRegistryConfig(world),
            timeoutSeconds: 120,
            baseDirectory: location,
            retries: 0,
        };
    });
    const runner = startRunner(world, { nodes: [node], images, options: {} });
    const end = (): void => {
        runner.kill();
        rmSync(folder, { recursive: true, force: true });
    };
    try {
        const held = (): number => runner.reports.filter(({ state }) => state === "builds").length;
        await secondsUntil(() => held() === count, 60, "the places are not taken");
    } catch (error) {
        end();
        throw error;
    }
    return { end };
}
