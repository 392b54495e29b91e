import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createStorage, octets, type StorageOptions, type StoredContent } from "./registryDoubleStorage";
import { createLogin, type DoubleAnswer, type LoginOptions, refuse } from "./registryDoubleLogin";

/** A registry in this process, over real HTTP, with faults on demand. It keeps everything in memory. */
export interface RegistryDouble {
    /** The host and port, as a reference names them. */
    readonly host: string;
    /** Every request that arrived, in order. */
    readonly requests: readonly SeenRequest[];
    /** Uploads that were started and neither finished nor cancelled. */
    readonly uploads: ReadonlySet<string>;
    /** Stores a manifest under its digest, and under a tag where one is given. */
    putManifest(repository: string, document: object, tag?: string): StoredContent;
    putBlob(repository: string, content: string | Buffer): StoredContent;
    /** Takes content out of all repositories. */
    removeContent(digest: string): void;
    /** The content that a repository has under a digest, or a tag. */
    content(repository: string, name: string): Buffer | undefined;
    /** Lets the next requests that fit fail. Faults are used up in the order they were added. */
    failNext(fault: Fault): void;
    /** Makes all tokens invalid that were handed out so far. */
    expireTokens(): void;
    close(): Promise<void>;
}

/** A request as the registry saw it. */
export interface SeenRequest {
    readonly method: string;
    readonly path: string;
    readonly authorization: string | undefined;
    readonly body: string;
}

/** What goes wrong, and for which requests. */
export interface Fault {
    /** Tested against the method and path, for example `GET /v2/`. */
    readonly request: RegExp;
    /** How many requests fail. By default one. */
    readonly times?: number;
    /** The answer; or the connection is cut before or in the middle of it; or there is none. */
    readonly answer: DoubleAnswer | "cut" | "truncate" | "hang";
}

/** How a double behaves. By default it speaks plain HTTP and asks for no account. */
export interface DoubleOptions extends LoginOptions, StorageOptions {
    readonly tls?: { readonly cert: string; readonly key: string };
    /** Headers to leave out of answers, in lower case. */
    readonly withoutHeaders?: readonly string[];
}

export async function startRegistryDouble(options: DoubleOptions = {}): Promise<RegistryDouble> {
    const storage = createStorage(options);
    const requests: SeenRequest[] = [];
    const faults: { fault: Fault; left: number }[] = [];

    const server = options.tls ? createTlsServer(options.tls, listen) : createPlainServer(listen);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const scheme = options.tls ? "https" : "http";
    const host = `localhost:${(server.address() as AddressInfo).port}`;
    const login = createLogin(options, `${scheme}://${host}`);

    function listen(request: IncomingMessage, response: ServerResponse): void {
        // A client that is gone is no fault of the double.
        handle(request, response).catch(() => response.destroy());
    }

    async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
        const parts: Buffer[] = [];
        for await (const part of request) {
            parts.push(part as Buffer);
        }
        const body = Buffer.concat(parts);
        const method = request.method ?? "";
        const path = request.url ?? "";
        const { authorization } = request.headers;
        requests.push({ method, path, authorization, body: body.toString("utf8") });

        const planned = faults.find(({ fault, left }) => left > 0 && fault.request.test(`${method} ${path}`));
        if (planned) {
            planned.left -= 1;
        }
        const fault = planned?.fault.answer;
        if (fault === "hang") {
            return;
        }
        if (fault === "cut") {
            request.socket.destroy();
            return;
        }
        const answer = typeof fault === "object" ? fault : route(method, path, authorization, body, request);
        const bytes = answer.bytes ?? Buffer.from(answer.body ?? "");
        const headers = { "content-length": String(bytes.length), ...answer.headers };
        response.writeHead(
            answer.status,
            Object.fromEntries(Object.entries(headers).filter(([name]) => !options.withoutHeaders?.includes(name))),
        );
        if (fault === "truncate") {
            response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => request.socket.destroy());
            return;
        }
        response.end(method === "HEAD" ? undefined : bytes);
    }

    function route(
        method: string,
        path: string,
        header: string | undefined,
        body: Buffer,
        request: IncomingMessage,
    ): DoubleAnswer {
        const url = new URL(path, `${scheme}://${host}`);
        if (url.pathname === "/token") {
            return login.answerToken(url, header, body);
        }
        const match = /^\/v2\/(?:(.+)\/(manifests|blobs)\/(.+))?$/.exec(url.pathname);
        if (!match) {
            return refuse(404, "NOT_A_REGISTRY_PATH", "no such page");
        }
        const [, repository = "", kind = "", name = ""] = match;
        const action = method === "GET" || method === "HEAD" ? "pull" : "push";
        const denied = login.authorize(header, repository, action);
        if (denied) {
            return denied;
        }
        if (repository === "") {
            return { status: 200, body: "{}" };
        }
        if (kind === "manifests") {
            return method === "PUT"
                ? storage.putManifest(repository, name, body, request.headers["content-type"] ?? "")
                : storage.getManifest(repository, name);
        }
        return name.startsWith("uploads/")
            ? storage.answerUpload(method, repository, name.replace("uploads/", ""), url.searchParams, body)
            : storage.getBlob(repository, name);
    }

    return {
        host,
        requests,
        uploads: storage.uploads,
        putManifest(repository, document, tag) {
            const { mediaType } = document as { mediaType: string };
            return storage.store(repository, Buffer.from(JSON.stringify(document)), mediaType, tag);
        },
        putBlob: (repository, content) => storage.store(repository, Buffer.from(content), octets),
        removeContent: (digest) => storage.remove(digest),
        content: (repository, name) => storage.find(repository, name)?.bytes,
        failNext: (fault) => faults.push({ fault, left: fault.times ?? 1 }),
        expireTokens: () => {
            login.expireTokens();
        },
        async close() {
            server.closeAllConnections();
            await new Promise((resolve) => server.close(resolve));
        },
    };
}
