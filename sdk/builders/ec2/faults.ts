import { messageOf, type ErrorCode, type MultiArchError } from "../../errors";
import type { BuilderNode } from "../node";
import { builderError, cancelledCheck } from "../preflightBudget";
import type { Ec2Target } from "./instances";

/** What another instance, zone or type may have although this one has not. */
const capacityCodes = [
    ...["InsufficientInstanceCapacity", "InsufficientCapacity", "InsufficientHostCapacity"],
    ...["InsufficientReservedInstanceCapacity", "InstanceLimitExceeded", "VcpuLimitExceeded"],
    ...["MaxSpotInstanceCountExceeded", "SpotMaxPriceTooLow", "IncorrectSpotRequestState"],
];

const deniedCodes = [
    ...["UnauthorizedOperation", "AuthFailure", "AccessDenied", "AccessDeniedException", "OptInRequired"],
    ...["InvalidClientTokenId", "ExpiredToken", "RequestExpired", "SignatureDoesNotMatch"],
    "UnrecognizedClientException",
    // No credentials at all, by the SDK itself.
    "CredentialsProviderError",
];

/** Asked for too much at once, or EC2 itself is out of order. */
const transientCodes = [
    ...["RequestLimitExceeded", "Throttling", "ThrottlingException"],
    ...["InternalError", "Unavailable", "ServiceUnavailable"],
];

/** True for a reason that EC2 gives for want of machines: `Server.InsufficientInstanceCapacity` and the like. */
export function isCapacityReason(reason: string | undefined): boolean {
    const code = reason?.replace(/^(Server|Client)\./, "") ?? "";
    return capacityCodes.includes(code) || code === "SpotInstanceTermination" || code === "SpotInstanceShutdown";
}

/** What a failed request means. `done` says what was to be done with the instance. */
export function explainAws(
    node: BuilderNode,
    { instanceId, region }: Ec2Target,
    done: string,
    error: unknown,
    signal?: AbortSignal,
): MultiArchError {
    if (signal?.aborted === true) {
        return cancelledCheck();
    }
    const { code, told, transient } = readRefusal(error);
    const what = `the EC2 instance ${instanceId} in ${region} cannot be ${done}: ${told}`;
    return builderError(node, code, what, { field: "ec2", cause: error, transient });
}

/** What AWS has refused, or did not answer at all. */
export interface Refusal {
    readonly code: ErrorCode;
    /** The reason, for people. */
    readonly told: string;
    /** Whether the same request may succeed in a moment. */
    readonly transient: boolean;
}

/** What an error of the AWS SDK means, whatever was asked for. */
export function readRefusal(error: unknown): Refusal {
    const { name = "" } = error as { name?: string };
    const code = codeOf(name);
    // The message of a denial may hold an encoded copy of the whole request.
    const told = code === "builder-ec2-denied" ? name : `${name}: ${messageOf(error)}`;
    return { code, told, transient: code === "builder-ec2" && isTransient(error) };
}

/** What no request has caused has no metadata. One without an answer has no status. */
function isTransient(error: unknown): boolean {
    const { name = "", $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
    const status = $metadata?.httpStatusCode ?? 500;
    return transientCodes.includes(name) || ($metadata !== undefined && status >= 500);
}

function codeOf(name: string): ErrorCode {
    if (isCapacityReason(name)) {
        return "builder-ec2-capacity";
    }
    if (deniedCodes.includes(name)) {
        return "builder-ec2-denied";
    }
    return name.startsWith("InvalidInstanceID") ? "builder-ec2-unknown" : "builder-ec2";
}
