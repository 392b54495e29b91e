import type * as sdk from "@aws-sdk/client-ssm";

import { MultiArchError, messageOf, type ErrorCode } from "../../../errors";
import { codeOfAws, isTransientAws } from "../faults";
import type { SessionTicket } from "./channel";

/** What a session is for. */
export interface SessionTarget {
    readonly instanceId: string;
    readonly region: string;
    /** The port on the instance. */
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
        );
        const { SessionId: sessionId = "", StreamUrl: streamUrl = "", TokenValue: token = "" } = started;
        return { sessionId, streamUrl, token };
    } finally {
        client.destroy();
    }
}

/** What it means that there is no session, or none any more. */
export function explainSession({ instanceId, region }: SessionTarget, error: unknown): SessionFailure {
    if (error instanceof MultiArchError) {
        const { what, next } = error.fields;
        return { code: error.code, what, ...(next === undefined ? {} : { next }), transient: false };
    }
    const { name = "" } = error as { name?: string };
    const place = `Session Manager gives no connection to ${instanceId} in ${region}`;
    if (name === "TargetNotConnected") {
        // It takes the agent a moment after the machine has started.
        const what = `${place}: its SSM agent has not reported yet`;
        const next =
            "See docs/ec2.md, Without an open port, for what the agent needs: a role that lets it in, and a way out to 443.";
        return { code: "builder-unreachable", what, next, transient: true, cause: error };
    }
    if (name === "Error") {
        // The agent or the data channel, not the API.
        return { code: "builder-unreachable", what: `${place}: ${messageOf(error)}`, transient: true, cause: error };
    }
    const code = codeOfAws(name);
    const told = code === "builder-ec2-denied" ? `${name}, when ssm:StartSession was asked for` : messageOf(error);
    return { code, what: `${place}: ${told}`, transient: isTransientAws(error), cause: error };
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
