import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

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
    close(): void;
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
    const server = createServer((request, response) => {
        void readBody(request).then((body) => {
            const { Name = "", WithDecryption } = JSON.parse(body || "{}") as {
                Name?: string;
                WithDecryption?: boolean;
            };
            const refuse = (type: string): void => {
                response.writeHead(400, { "content-type": "application/x-amz-json-1.1" });
                response.end(JSON.stringify({ __type: type, message: type }));
            };
            const found = parameters.get(Name);
            if (request.headers["x-amz-target"] !== "AmazonSSM.GetParameter") {
                refuse("UnknownOperationException");
            } else if (!isSignedBy(request, found?.readers) || WithDecryption !== true) {
                refuse("AccessDeniedException");
            } else {
                reads.push(Name);
                const parameter = { Name, Type: "SecureString", Value: found?.value, Version: 1 };
                response.writeHead(200, { "content-type": "application/x-amz-json-1.1" });
                response.end(JSON.stringify({ Parameter: parameter }));
            }
        });
    });
    await new Promise<void>((resolve) => server.listen(0, address, resolve));
    return {
        url: `http://${address}:${(server.address() as AddressInfo).port}`,
        put: (name, value, readers) => void parameters.set(name, { value, readers }),
        reads,
        close() {
            server.closeAllConnections();
            server.close();
        },
    };
}

function isSignedBy(request: IncomingMessage, readers: RoleCredentials | undefined): boolean {
    const { authorization = "", "x-amz-security-token": token } = request.headers;
    return readers !== undefined && authorization.includes(`=${readers.AccessKeyId}/`) && token === readers.Token;
}

async function readBody(request: IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
        chunks.push(chunk as Buffer);
    }
    return Buffer.concat(chunks).toString("utf8");
}
