import type * as sdk from "@aws-sdk/client-ssm";

import { MultiArchError, messageOf, type ErrorCode } from "../../../errors";
import { codeOfAws, isTransientAws } from "../faults";
import type { SessionTicket } from "./channel";

/** What a session is for. */
export interface SessionTarget {
    readonly instanceId: string;
    readonly region: string;
    /** The port on the instance, where something listens on its loopback address too. */
    readonly port: number;
}

/** Why there is no session: the fields of an error that is about no builder yet. */
export interface SessionFailure {
    readonly code: ErrorCode;
    readonly what: string;
    readonly next?: string;
    readonly transient: boolean;
    readonly cause?: unknown;
}

// Connects standard input and output with a port, whatever speaks there. It belongs to AWS and is in every region:
// https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-getting-started-enable-ssh-connections.html
const documentName = "AWS-StartSSHSession";

const answerMs = 8_000;

const needs = "See docs/ec2.md, Without an open port, for what the builder and its agent need.";

/** Asks Session Manager for a session. Throws an error of the AWS SDK, or a MultiArchError where that is not installed. */
export async function startSession({ instanceId, region, port }: SessionTarget): Promise<SessionTicket> {
    const ssm = await loadSsm();
    const client = new ssm.SSMClient({ region });
    try {
        const started = await client.send(
            new ssm.StartSessionCommand({
                Target: instanceId,
                DocumentName: documentName,
                Parameters: { portNumber: [String(port)] },
                Reason: "a build by pulumi-multiarch",
            }),
            // Where nothing leads to it, the SDK would wait for minutes.
            { abortSignal: AbortSignal.timeout(answerMs) },
        );
        const { StreamUrl: streamUrl = "", TokenValue: token = "" } = started;
        return { streamUrl, token, headers: await signUpgrade(client, new URL(streamUrl)) };
    } finally {
        client.destroy();
    }
}

/**
 * Signs the request for the data channel, for its own service, as AWS's client does since 1.2.764.
 * https://github.com/aws/session-manager-plugin/blob/mainline/src/communicator/websocketchannel.go
 */
async function signUpgrade(client: sdk.SSMClient, url: URL): Promise<Record<string, string>> {
    if ([...url.searchParams.keys()].some((name) => name.startsWith("X-Amz-"))) {
        return {};
    }
    const signer = await client.config.signer();
    const request = {
        method: "GET",
        protocol: url.protocol,
        hostname: url.hostname,
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: { host: url.host },
    };
    const { headers } = await signer.sign(request, { signingService: "ssmmessages" });
    const { host, ...signed } = headers;
    return signed;
}

/** What it means that there is no session, or that it leads nowhere. */
export function explainSession({ instanceId, region, port }: SessionTarget, error: unknown): SessionFailure {
    if (error instanceof MultiArchError) {
        const { what, next } = error.fields;
        return { code: error.code, what, ...(next === undefined ? {} : { next }), transient: false };
    }
    // Several addresses that all fail are one error without a text.
    const first: unknown = error instanceof AggregateError ? (error.errors[0] ?? error) : error;
    const { name = "" } = first as { name?: string };
    const place = `Session Manager gives no connection to port ${port} of ${instanceId} in ${region}`;
    if (name === "TargetNotConnected") {
        // It takes the agent a moment after the machine has started.
        const what = `${place}: its SSM agent has not reported yet`;
        return { code: "builder-unreachable", what, next: needs, transient: true, cause: error };
    }
    if (name === "AbortError") {
        const what = `${place}: the API of Systems Manager did not answer within ${answerMs / 1_000} s`;
        return { code: "builder-unreachable", what, next: needs, transient: true, cause: error };
    }
    if (name === "Error") {
        // The agent, the data channel or the network, not the API.
        const isDenied = /server response: 40[13]/.test(messageOf(first));
        const told = isDenied ? "ssmmessages:OpenDataChannel is not allowed" : messageOf(first);
        const code = isDenied ? "builder-ec2-denied" : "builder-unreachable";
        return { code, what: `${place}: ${told}`, next: needs, transient: !isDenied, cause: error };
    }
    const code = codeOfAws(name);
    const told = code === "builder-ec2-denied" ? `${name}, when ssm:StartSession was asked for` : messageOf(first);
    // What the SDK did not throw has no answer of AWS, and is no fault of the network either.
    const isOfAws = "$metadata" in (first as object) || name === "TimeoutError";
    const transient = code === "builder-ec2" && isOfAws && isTransientAws(first);
    return { code, what: `${place}: ${told}`, transient, cause: error };
}

/** Loaded only for those who use it: it is not installed with this package. */
async function loadSsm(): Promise<typeof sdk> {
    try {
        return await import("@aws-sdk/client-ssm");
    } catch (cause) {
        const what = "sessions are started with the package @aws-sdk/client-ssm, which is not installed";
        throw new MultiArchError("builder-ec2-sdk", { what, next: "Run npm install @aws-sdk/client-ssm.", cause });
    }
}
