import { readFile } from "node:fs/promises";

import { trackBaseImages } from "../baseImages/track";
import { requirePlan } from "../context/plan";
import { MultiArchError } from "../errors";
import type { InputProblem, OperationContext } from "./lifecycle";
import type { PlatformImageInputs } from "./platformImageInputs";

/** The digests of base images by reference, or why they cannot be told. */
export interface TrackedImages {
    readonly digests?: Readonly<Record<string, string>>;
    readonly problems: InputProblem[];
}

/** True when a new base image counts as a change. */
export function tracksBaseImages({ baseImages, pull }: { baseImages?: unknown; pull?: unknown }): boolean {
    return baseImages === "track" || pull === true;
}

/** Looks the base images of a build up, where the program wants a new one to count as a change. */
export async function readBaseImages(inputs: PlatformImageInputs, context: OperationContext): Promise<TrackedImages> {
    if (!tracksBaseImages(inputs)) {
        return { problems: [] };
    }
    const property = inputs.baseImages === "track" ? "baseImages" : "pull";
    const dockerfileText = await readDockerfile(inputs);
    if (dockerfileText === undefined) {
        const reason = "needs a Dockerfile that is at hand before the build: a local file, or dockerfile.inline";
        return { problems: [{ property, reason }] };
    }
    try {
        const { digests, unresolved } = await trackBaseImages({
            dockerfileText,
            platform: inputs.platform,
            target: inputs.target,
            buildArgs: inputs.buildArgs ?? {},
            namedContexts: inputs.context?.named ?? {},
            registries: inputs.registries,
            signal: context.signal,
        });
        const problems = unresolved.map(({ text, reason }) => ({ property, reason: `cannot tell ${text}: ${reason}` }));
        return problems.length > 0 ? { problems } : { digests, problems };
    } catch (error) {
        if (error instanceof MultiArchError) {
            const { code, fields } = error;
            return { problems: [{ property, reason: fields.what, code, next: fields.next }] };
        }
        throw error;
    }
}

async function readDockerfile({ context, dockerfile }: PlatformImageInputs): Promise<string | undefined> {
    const plan = await requirePlan({ context: context ?? { location: "." }, dockerfile });
    switch (plan.dockerfile.kind) {
        case "text":
            return plan.dockerfile.text;
        case "file":
            return readFile(plan.dockerfile.path, "utf8");
        default:
            return undefined;
    }
}
