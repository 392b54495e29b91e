import type * as http from "node:http";

import * as ec2 from "@aws-sdk/client-ec2";

import type { Aws } from "./aws";
import { forward, startAnswering, type Answer } from "./httpAnswers";

/** A request for a spot instance, as EC2 keeps it. */
interface SpotRequestState {
    readonly id: string;
    state: "active" | "cancelled";
}

/**
 * An account with spot instances: it stands in front of moto, which starts them without a request. Each has a persistent one
 * here, with its two traps: it asks for another instance when its own is terminated, and its own is terminated when it is
 * cancelled while that is stopped.
 */
export interface Ec2Spot {
    /** The environment in which AWS SDKs ask here. */
    readonly env: Readonly<Record<string, string>>;
    /** The requests there were, by the id of their instance. */
    readonly requests: ReadonlyMap<string, SpotRequestState>;
    /** Every action on instances and requests that changed something, with what it was asked for. */
    readonly asked: string[];
    /** The error that cancelling is answered with. */
    refuses: string | undefined;
    readonly stop: () => Promise<void>;
}

/** Starts it for an account. */
export async function startSpot(account: Aws): Promise<Ec2Spot> {
    const moto = account.env["AWS_ENDPOINT_URL"] ?? "";
    const client = account.clients.ec2;
    const requests = new Map<string, SpotRequestState>();
    const asked: string[] = [];
    const answerXml = (body: string, status = 200): Answer => ({ status, body });
    const refuse = (code = "InvalidSpotInstanceRequestID.NotFound"): Answer => {
        const error = `<Error><Code>${code}</Code><Message>The account says no.</Message></Error>`;
        return answerXml(`<Response><Errors>${error}</Errors></Response>`, 400);
    };
    const find = (form: URLSearchParams) => {
        return [...requests].find(([, { id }]) => id === form.get("SpotInstanceRequestId.1"));
    };
    const noteRun = ({ body }: Answer): void => {
        const instanceId = /<instanceId>([^<]+)</.exec(body)?.[1] ?? "";
        requests.set(instanceId, { id: `sir-${instanceId.slice(-8)}`, state: "active" });
    };

    const cancel = async (form: URLSearchParams): Promise<Answer> => {
        const [instanceId, request] = find(form) ?? [];
        if (instanceId === undefined || request === undefined) {
            return refuse();
        }
        request.state = "cancelled";
        const InstanceIds = [instanceId];
        const { Reservations } = await client.send(new ec2.DescribeInstancesCommand({ InstanceIds }));
        if (Reservations?.[0]?.Instances?.[0]?.State?.Name === "stopped") {
            await client.send(new ec2.TerminateInstancesCommand({ InstanceIds }));
        }
        return answerXml("<CancelSpotInstanceRequestsResponse/>");
    };
    const describe = (form: URLSearchParams): Answer => {
        const [, request] = find(form) ?? [];
        if (request === undefined) {
            return refuse();
        }
        const item = `<spotInstanceRequestId>${request.id}</spotInstanceRequestId><state>${request.state}</state>`;
        const set = `<spotInstanceRequestSet><item>${item}</item></spotInstanceRequestSet>`;
        return answerXml(`<DescribeSpotInstanceRequestsResponse>${set}</DescribeSpotInstanceRequestsResponse>`);
    };
    const runs = new Map<string, { request: http.IncomingMessage; body: string }>();

    const handle = async (request: http.IncomingMessage, body: string): Promise<Answer> => {
        const form = new URLSearchParams(body);
        const action = form.get("Action") ?? "";
        const instanceId = form.get("InstanceId.1") ?? "";
        if (/^(Start|Stop|Terminate)Instances$|^Cancel|^DetachVolume$/.test(action)) {
            const subject = form.get("SpotInstanceRequestId.1") ?? (instanceId || form.get("InstanceId"));
            asked.push(`${action} ${subject ?? ""}`);
        }
        if (action === "CancelSpotInstanceRequests") {
            return spot.refuses === undefined ? cancel(form) : refuse(spot.refuses);
        }
        if (action === "DescribeSpotInstanceRequests") {
            return describe(form);
        }
        const answer = await forward(moto, request, body);
        if (action === "RunInstances" && form.get("InstanceMarketOptions.MarketType") === "spot") {
            noteRun(answer);
            runs.set([...requests.keys()].pop() ?? "", { request, body });
        }
        const again = runs.get(instanceId);
        if (action === "TerminateInstances" && again && requests.get(instanceId)?.state === "active") {
            noteRun(await forward(moto, again.request, again.body));
        }
        const shown = [...requests].reduce((text, [id, spot]) => {
            const own = `<instanceId>${id}</instanceId>`;
            return text.replace(own, `${own}<spotInstanceRequestId>${spot.id}</spotInstanceRequestId>`);
        }, answer.body);
        return action === "DescribeInstances" ? { ...answer, body: shown } : answer;
    };

    const { url, stop } = await startAnswering(handle);
    const spot: Ec2Spot = {
        env: { ...account.env, AWS_ENDPOINT_URL: url },
        ...{ requests, asked, refuses: undefined, stop },
    };
    return spot;
}
