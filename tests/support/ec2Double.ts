import type { Ec2InstanceArgs, NodeArgs } from "../../sdk";
import { startAnswering } from "./httpAnswers";
import type { Builder } from "./world";

/** One instance of the double, which a test may change at any time. */
export interface DoubleInstance {
    state: string;
    reason?: string;
    privateAddress?: string;
    publicAddress?: string;
    startedAt?: number;
    /** The error code that a start is answered with. */
    refusesStart?: string;
    /** What starts with it. */
    boot?: () => Promise<void>;
    /** What becomes of it once it is started. Defaults to `running`. */
    startsAs?: string;
}

/** The two actions of EC2 that are used, in its own protocol, so that the real AWS SDK is what asks. */
export interface Ec2Double {
    /** The environment in which the AWS SDK asks it. */
    readonly env: Readonly<Record<string, string>>;
    readonly instances: Map<string, DoubleInstance>;
    /** Every action that was asked for, with its instance. */
    readonly asked: string[];
    /** The error code that every request is answered with. */
    refuses: string | undefined;
    readonly close: () => Promise<void>;
}

/** Starts the double on a port of its own. */
export async function startEc2Double(): Promise<Ec2Double> {
    const { url, stop } = await startAnswering((_request, text) => {
        const form = new URLSearchParams(text);
        const [status, body] = answer(double, form.get("Action") ?? "", form.get("InstanceId.1") ?? "");
        return { status, body };
    });
    const double: Ec2Double = {
        env: {
            AWS_ENDPOINT_URL_EC2: url,
            AWS_ACCESS_KEY_ID: "id",
            AWS_SECRET_ACCESS_KEY: "hunter2",
            AWS_EC2_METADATA_DISABLED: "true",
        },
        instances: new Map(),
        asked: [],
        refuses: undefined,
        close: stop,
    };
    return double;
}

function answer(double: Ec2Double, action: string, id: string): [number, string] {
    double.asked.push(`${action} ${id}`);
    const instance = double.instances.get(id);
    if (double.refuses !== undefined) {
        return refuse(double.refuses);
    }
    if (instance === undefined) {
        return refuse("InvalidInstanceID.NotFound");
    }
    if (action === "DescribeInstances") {
        return [200, describe(id, instance)];
    }
    if (action !== "StartInstances") {
        return refuse("InvalidAction");
    }
    if (instance.refusesStart !== undefined) {
        return refuse(instance.refusesStart);
    }
    // A second start of the same instance is answered like the first, and does nothing.
    if (instance.state === "stopped") {
        instance.state = instance.startsAs ?? "running";
        instance.startedAt = Date.now();
        void instance.boot?.();
    }
    return [200, `<StartInstancesResponse><instancesSet/></StartInstancesResponse>`];
}

function describe(id: string, instance: DoubleInstance): string {
    const element = (name: string, text: string | undefined) =>
        text === undefined ? "" : `<${name}>${text}</${name}>`;
    const state = element("instanceState", element("name", instance.state));
    const reason = instance.reason === undefined ? "" : element("stateReason", element("code", instance.reason));
    const addresses =
        element("privateIpAddress", instance.privateAddress) + element("ipAddress", instance.publicAddress);
    const launched = element("launchTime", new Date(instance.startedAt ?? 0).toISOString());
    const item = `<item>${element("instanceId", id)}${state}${reason}${addresses}${launched}</item>`;
    const set = `<reservationSet><item><instancesSet>${item}</instancesSet></item></reservationSet>`;
    return `<DescribeInstancesResponse>${set}</DescribeInstancesResponse>`;
}

function refuse(code: string): [number, string] {
    const error = `<Error><Code>${code}</Code><Message>The double says no.</Message></Error>`;
    return [400, `<Response><Errors>${error}</Errors><RequestID>1</RequestID></Response>`];
}

/** A builder of the world as the one on an instance: known by its certificate, wherever the instance is. */
export function nodeOnEc2({ endpoint, host }: Builder, ec2: Ec2InstanceArgs): NodeArgs {
    const { platform, tls } = endpoint;
    return { platform, ec2, serverName: host.address, ...(tls === undefined ? {} : { tls }) };
}
