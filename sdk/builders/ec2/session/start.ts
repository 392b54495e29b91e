import type * as sdk from "@aws-sdk/client-ssm";

import { MultiArchError, messageOf, type ErrorCode } from "../../../errors";
import { loadSsmSdk } from "../awsSdk";
import { readRefusal } from "../faults";
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
    const ssm = await loadSsmSdk();
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
    const unreachable = (told: string): SessionFailure => {
        return { code: "builder-unreachable", what: `${place}: ${told}`, next: needs, transient: true, cause: error };
    };
    switch (name) {
        case "TargetNotConnected":
            // It takes the agent a moment after the machine has started.
            return unreachable("its SSM agent has not reported yet");
        case "AbortError":
            return unreachable(`the API of Systems Manager did not answer within ${answerMs / 1_000} s`);
        case "Error":
            // The agent, the data channel or the network, not the API.
            return /server response: 40[13]/.test(messageOf(first))
                ? {
                      ...unreachable("ssmmessages:OpenDataChannel is not allowed"),
                      ...{ code: "builder-ec2-denied", transient: false },
                  }
                : unreachable(messageOf(first));
    }
    const { code, told, transient } = readRefusal(first);
    const asked = code === "builder-ec2-denied" ? ", when ssm:StartSession was asked for" : "";
    return { code, what: `${place}: ${told}${asked}`, transient, cause: error };
}
