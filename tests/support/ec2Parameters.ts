import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";

import { startAnswering, type Answer } from "./httpAnswers";

/** What the role of an instance gives it. */
export interface RoleCredentials {
    readonly AccessKeyId: string;
    readonly SecretAccessKey: string;
    readonly Token: string;
    readonly Expiration: string;
}

/** A double of the Parameter Store: `GetParameter`, for whom the parameter is. */
export interface ParameterStore {
    /** Its address, as a URL. */
    readonly url: string;
    /** Keeps a text that only one role may read. */
    put(name: string, value: string, readers: RoleCredentials): void;
    /** The names of the parameters that were read, in order. */
    readonly reads: readonly string[];
    readonly close: () => Promise<void>;
}

/** Makes credentials that nobody else has. */
export function createCredentials(): RoleCredentials {
    const secret = (bytes: number): string => randomBytes(bytes).toString("hex");
    return {
        AccessKeyId: `ASIA${secret(8).toUpperCase()}`,
        SecretAccessKey: secret(20),
        Token: secret(40),
        Expiration: new Date(Date.now() + 6 * 3_600_000).toISOString(),
    };
}

/**
 * Starts the double on an address of this machine. It looks at the key and the session token of a request, which are those
 * of a role, and not at its signature.
 */
export async function startParameterStore(address: string): Promise<ParameterStore> {
    const parameters = new Map<string, { value: string; readers: RoleCredentials }>();
    const reads: string[] = [];
    const answerJson = (status: number, content: object): Answer => {
        return { status, body: JSON.stringify(content), type: "application/x-amz-json-1.1" };
    };
    const refuse = (type: string): Answer => answerJson(400, { __type: type, message: type });
    const { url, stop } = await startAnswering((request, body) => {
        const { Name = "", WithDecryption } = JSON.parse(body || "{}") as { Name?: string; WithDecryption?: boolean };
        const found = parameters.get(Name);
        if (request.headers["x-amz-target"] !== "AmazonSSM.GetParameter") {
            return refuse("UnknownOperationException");
        }
        if (!isSignedBy(request, found?.readers) || WithDecryption !== true) {
            return refuse("AccessDeniedException");
        }
        reads.push(Name);
        return answerJson(200, { Parameter: { Name, Type: "SecureString", Value: found?.value, Version: 1 } });
    }, address);
    return { url, put: (name, value, readers) => void parameters.set(name, { value, readers }), reads, close: stop };
}

function isSignedBy(request: IncomingMessage, readers: RoleCredentials | undefined): boolean {
    const { authorization = "", "x-amz-security-token": token } = request.headers;
    return readers !== undefined && authorization.includes(`=${readers.AccessKeyId}/`) && token === readers.Token;
}
