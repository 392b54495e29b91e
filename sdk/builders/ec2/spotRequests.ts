import type { EC2Client } from "@aws-sdk/client-ec2";

import { MultiArchError } from "../../errors";
import { loadEc2Sdk, type Ec2Sdk } from "./awsSdk";
import { readRefusal } from "./faults";

/** A request for a spot instance. */
export interface SpotTarget {
    /** For example `sir-0abcdefg`. */
    readonly requestId: string;
    readonly region: string;
}

/** What EC2 says of a request, or that it knows none. It forgets what has ended some hours before. */
export type SpotState = "open" | "ended" | "unknown";

/** Asks for the state of a request. */
export async function describeSpotRequest(target: SpotTarget): Promise<SpotState> {
    return withClient(target, "looked up", async (aws, client, SpotInstanceRequestIds) => {
        const found = await client.send(new aws.DescribeSpotInstanceRequestsCommand({ SpotInstanceRequestIds }));
        const state = found.SpotInstanceRequests?.[0]?.State;
        if (state === undefined) {
            return "unknown";
        }
        return ["open", "active", "disabled"].includes(state) ? "open" : "ended";
    });
}

/**
 * Cancels it. Its instance goes on when it runs, and is terminated by EC2 when it is stopped. Gives `unknown` where EC2 does
 * not know it with these credentials: then nothing is cancelled.
 */
export async function cancelSpotRequest(target: SpotTarget): Promise<SpotState> {
    return withClient(target, "cancelled", async (aws, client, SpotInstanceRequestIds) => {
        await client.send(new aws.CancelSpotInstanceRequestsCommand({ SpotInstanceRequestIds }));
        return "ended";
    });
}

async function withClient(
    { requestId, region }: SpotTarget,
    done: string,
    work: (aws: Ec2Sdk, client: EC2Client, ids: string[]) => Promise<SpotState>,
): Promise<SpotState> {
    const aws = await loadEc2Sdk();
    const client = new aws.EC2Client({ region });
    try {
        return await work(aws, client, [requestId]);
    } catch (error) {
        const { name = "" } = error as { name?: string };
        if (name === "InvalidSpotInstanceRequestID.NotFound") {
            return "unknown";
        }
        const { code, told, transient } = readRefusal(error);
        const what = `the spot request ${requestId} in ${region} cannot be ${done}: ${told}`;
        const next =
            code === "builder-ec2"
                ? { next: "Run it again: as long as the request is open, it asks for instances." }
                : {};
        throw new MultiArchError(code, { what, ...next, transient, cause: error });
    } finally {
        client.destroy();
    }
}
