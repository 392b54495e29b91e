import { checkNodes, type Checked, type CheckOptions, type Choice, type LeasedImage } from "../build/lease";
import { describeDocker } from "../builders/dockerSettings";
import type { BuilderNode } from "../builders/node";
import { MultiArchError, type ErrorCode } from "../errors";
import type { Reporter } from "./lifecycle";
import type { PlatformImageInputs } from "./platformImageInputs";

/** The platforms of one index that are built together. */
export interface Siblings {
    readonly together: readonly string[];
    /** True for one that was not checked, and may not be built at all. */
    readonly isSilent: (platform: string) => boolean;
}

/** What builders are told of an image, and choose by. */
export function imageOf({ platform, repository, push = true }: ImageInputs): LeasedImage {
    return { platform, repository, isPushed: push };
}

type NodeInputs = Pick<PlatformImageInputs, "nodes" | "emulation">;
type ImageInputs = Pick<PlatformImageInputs, "platform" | "repository" | "push">;

/** The builders, with what a build needs to know of them. */
export function listNodes({ nodes, emulation = "never" }: NodeInputs): BuilderNode[] {
    return nodes.map(({ address, docker, named, ec2, property, ...others }, index) => {
        const place = address ?? describePlace({ docker, named, ec2 });
        return {
            ...others,
            name: place,
            address: place,
            docker,
            named: named === undefined ? undefined : { name: named },
            ec2,
            emulation,
            property: property ?? `nodes[${index}]`,
        };
    });
}

/** What a builder without an address is called. */
function describePlace({
    docker,
    named,
    ec2,
}: Pick<BuilderNode, "docker" | "ec2"> & { named: string | undefined }): string {
    if (ec2 !== undefined) {
        return `EC2 instance ${ec2.instanceId} in ${ec2.region}`;
    }
    return named === undefined ? describeDocker(docker ?? {}) : `buildx builder ${named}`;
}

/** Finds the builders of each platform; throws when there is one without. */
export async function checkTogether(
    inputs: NodeInputs & ImageInputs,
    { together, isSilent }: Siblings,
    options: CheckOptions,
): Promise<Checked> {
    const nodes = listNodes(inputs);
    const own = checkNodes(imageOf(inputs), nodes, options);
    const others = together.filter((platform) => platform !== inputs.platform);
    const results = await Promise.allSettled([
        own,
        ...others.map((platform) => checkNodes(imageOf({ ...inputs, platform }), nodes, options)),
    ]);
    // Its own problem comes first; that of a sibling is told in full where it belongs.
    const checked = await own;
    // One that takes no part is not built now, so the state of its builder is not what fails this operation.
    const failed = others.filter((other, i) => results[i + 1]?.status === "rejected" && !isSilent(other));
    const [sibling] = failed;
    if (sibling !== undefined) {
        throw new MultiArchError("sibling-not-ready", {
            what: `not built, because there is no usable builder for ${sibling}, which belongs to the same index`,
            platform: inputs.platform,
            next: `See the message of ${sibling}. Nothing was pushed.`,
        });
    }
    return checked;
}

const notForIt = new Set<ErrorCode>(["builder-wrong-platform", "builder-emulated"]);

/** Says which builders are not used, and why. */
export function reportSkipped({ skipped }: Pick<Checked, "skipped">, reporter: Reporter): void {
    for (const { node: other, error } of skipped) {
        // A Docker daemon or a builder of buildx may serve other platforms, for which nobody had to name them.
        const isExpected = (other.docker ?? other.named) && !error.transient && notForIt.has(error.code);
        reporter[isExpected ? "info" : "warn"](`a builder is skipped: ${error.message}`);
    }
}

/** Says which builder it is. */
export function reportChoice({ node, facts }: Choice, reporter: Reporter): void {
    for (const note of facts.notes) {
        reporter.info(`${node.name} ${note}`);
    }
    reporter.status(`building on ${node.name}, BuildKit ${facts.version}`);
}
