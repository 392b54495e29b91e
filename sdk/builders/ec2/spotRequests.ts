import { messageOf, MultiArchError } from "../../errors";
import { loadEc2Sdk } from "./ec2Sdk";
import { codeOfAws } from "./faults";

/** A request for a spot instance. */
export interface SpotTarget {
    /** For example `sir-0abcdefg`. */
    readonly requestId: string;
    readonly region: string;
}

/** Whether it would still ask for machines. One that EC2 does not know any more would not. */
export async function isSpotRequestOpen(target: SpotTarget): Promise<boolean> {
    const aws = await loadEc2Sdk();
    return withClient(target, "looked up", async (client, SpotInstanceRequestIds) => {
        const found = await client.send(new aws.DescribeSpotInstanceRequestsCommand({ SpotInstanceRequestIds }));
        const state = found.SpotInstanceRequests?.[0]?.State ?? "closed";
        return ["open", "active", "disabled"].includes(state);
    });
}

/** Cancels it. Its instance goes on when it runs, and is terminated by EC2 when it is stopped. */
export async function cancelSpotRequest(target: SpotTarget): Promise<void> {
    const aws = await loadEc2Sdk();
    await withClient(target, "cancelled", async (client, SpotInstanceRequestIds) => {
        await client.send(new aws.CancelSpotInstanceRequestsCommand({ SpotInstanceRequestIds }));
        return true;
    });
}

type Client = import("@aws-sdk/client-ec2").EC2Client;

/** Gives false for a request that EC2 does not know. */
async function withClient(
    { requestId, region }: SpotTarget,
    done: string,
    work: (client: Client, ids: string[]) => Promise<boolean>,
): Promise<boolean> {
    const aws = await loadEc2Sdk();
    const client = new aws.EC2Client({ region });
    try {
        return await work(client, [requestId]);
    } catch (error) {
        const { name = "" } = error as { name?: string };
        if (name === "InvalidSpotInstanceRequestID.NotFound") {
            return false;
        }
        const code = codeOfAws(name);
        // The message of a denial may hold an encoded copy of the whole request.
        const told = code === "builder-ec2-denied" ? name : `${name}: ${messageOf(error)}`;
        const what = `the spot request ${requestId} in ${region} cannot be ${done}: ${told}`;
        throw new MultiArchError(code, { what, cause: error });
    } finally {
        client.destroy();
    }
}
