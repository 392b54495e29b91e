import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { MultiArchImageArgs } from "../../sdk";
import type { World } from "./world";

/** A context whose image holds one file, so that nothing has to run on the platform it is for. */
export function writeContext(folder: string, text: string, dockerfile = "FROM scratch\nCOPY content.txt /\n"): void {
    mkdirSync(join(folder, "app"), { recursive: true });
    writeFileSync(join(folder, "app", "Dockerfile"), dockerfile);
    writeFileSync(join(folder, "app", "content.txt"), text);
}

/** What every test image has in common. */
export function imageArgs(world: World, repository: string): MultiArchImageArgs {
    return {
        context: { location: "./app" },
        platforms: ["linux/amd64", "linux/arm64"],
        repository,
        registries: [{ address: world.registry, username: world.username, password: world.password }],
        builders: { endpoints: [world.builders.amd64.endpoint, world.builders.arm64.endpoint] },
        emulation: "allow",
    };
}
