import type * as sdk from "@aws-sdk/client-ec2";

import type { BuilderNode } from "../node";
import { loadEc2Sdk } from "./awsSdk";
import { explainAws } from "./faults";

/** The EC2 instance that a builder runs on. */
export interface Ec2Target {
    /** Its id, for example `i-0123456789abcdef0`. */
    readonly instanceId: string;
    readonly region: string;
    /** The port of BuildKit. Defaults to 1234. */
    readonly port?: number | undefined;
    /** Which of its addresses is used, or that none is. Defaults to `private`. */
    readonly addressKind?: "private" | "public" | "ssm" | undefined;
    /** True for one that is started only when none of the others can be. Defaults to false. */
    readonly fallback?: boolean | undefined;
    /** Minutes it stays on after its last build. Defaults to 0. */
    readonly idleMinutes?: number | undefined;
    /** What an hour of it costs, in US dollars. */
    readonly hourlyUsd?: number | undefined;
}

/** What EC2 says of an instance. */
export interface InstanceFacts {
    /** `pending`, `running`, `stopping`, `stopped`, `shutting-down` or `terminated`. */
    readonly state: string;
    /** Why it changed into that state, for example `Server.InsufficientInstanceCapacity`. */
    readonly reason?: string | undefined;
    readonly privateAddress?: string | undefined;
    readonly publicAddress?: string | undefined;
    /** When it was started the last time, in milliseconds since 1970. */
    readonly startedAt?: number | undefined;
}

/** What is asked of EC2: two actions, and no other. */
export interface Instances {
    /** `ec2:DescribeInstances` for the one instance. */
    describe(): Promise<InstanceFacts>;
    /** `ec2:StartInstances`. One that runs already is left as it is. */
    start(): Promise<void>;
    close(): void;
}

/**
 * Opens the EC2 of the node's region, with the AWS credentials of this process, found as every AWS tool finds them. What
 * fails is thrown as a MultiArchError about the node.
 */
export async function openInstances(node: BuilderNode, target: Ec2Target, signal?: AbortSignal): Promise<Instances> {
    const aws = await loadEc2Sdk({ platform: node.platform, property: node.property });
    const client = new aws.EC2Client({ region: target.region });
    const options = signal === undefined ? {} : { abortSignal: signal };
    const InstanceIds = [target.instanceId];
    const ask = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
        try {
            return await work();
        } catch (error) {
            throw explainAws(node, target, what, error, signal);
        }
    };
    return {
        describe: () =>
            ask("looked up", async () => {
                return readInstance(await client.send(new aws.DescribeInstancesCommand({ InstanceIds }), options));
            }),
        start: async () => {
            await ask("started", () => client.send(new aws.StartInstancesCommand({ InstanceIds }), options));
        },
        close: () => client.destroy(),
    };
}

/** One that EC2 no longer lists counts as terminated. */
function readInstance({ Reservations = [] }: sdk.DescribeInstancesCommandOutput): InstanceFacts {
    const instance = Reservations.flatMap(({ Instances: instances = [] }) => instances)[0];
    return {
        state: instance?.State?.Name ?? "terminated",
        reason: instance?.StateReason?.Code,
        privateAddress: instance?.PrivateIpAddress,
        publicAddress: instance?.PublicIpAddress,
        startedAt: instance?.LaunchTime?.getTime(),
    };
}
