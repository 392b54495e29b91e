import { createHash, randomUUID } from "node:crypto";
import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
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
    putBlob(repository: string, content: string): StoredContent;
    removeContent(digest: string): void;
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

/** What was stored. */
export interface StoredContent {
    readonly mediaType: string;
    readonly digest: string;
    readonly size: number;
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
export interface DoubleOptions extends LoginOptions {
    readonly tls?: { readonly cert: string; readonly key: string };
    /** Where the content of blobs really is. By default in the registry itself. */
    readonly blobStorage?: string;
    /** Headers to leave out of answers, in lower case. */
    readonly withoutHeaders?: readonly string[];
    /** Refuses to point a tag to something else, or to the same again. */
    readonly immutableTags?: boolean;
}

export function digestOfText(bytes: Buffer | string): string {
    return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

export async function startRegistryDouble(options: DoubleOptions = {}): Promise<RegistryDouble> {
    const contents = new Map<string, { bytes: Buffer; mediaType: string }>();
    const tags = new Map<string, string>();
    const uploads = new Set<string>();
    const requests: SeenRequest[] = [];
    const faults: { fault: Fault; left: number }[] = [];

    const server = options.tls ? createTlsServer(options.tls, listen) : createPlainServer(listen);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const scheme = options.tls ? "https" : "http";
    const host = `localhost:${(server.address() as AddressInfo).port}`;
    const login = createLogin(options, `${scheme}://${host}`);

    function store(bytes: Buffer, mediaType: string): StoredContent {
        const digest = digestOfText(bytes);
        contents.set(digest, { bytes, mediaType });
        return { mediaType, digest, size: bytes.length };
    }

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
                ? putManifest(repository, name, body, request.headers["content-type"] ?? "")
                : getContent(tags.get(`${repository}:${name}`) ?? name, "MANIFEST_UNKNOWN");
        }
        return name.startsWith("uploads/") ? answerUpload(method, repository, name) : getBlob(name);
    }

    function putManifest(repository: string, name: string, body: Buffer, mediaType: string): DoubleAnswer {
        if (options.immutableTags && tags.has(`${repository}:${name}`)) {
            return refuse(400, "TAG_INVALID", `the tag ${name} is immutable`);
        }
        const { digest } = store(body, mediaType);
        if (!name.startsWith("sha256:")) {
            tags.set(`${repository}:${name}`, digest);
        }
        return { status: 201, headers: { "docker-content-digest": digest } };
    }

    function getContent(digest: string, missing: string): DoubleAnswer {
        const found = contents.get(digest);
        return found
            ? {
                  status: 200,
                  headers: { "content-type": found.mediaType, "docker-content-digest": digest },
                  bytes: found.bytes,
              }
            : refuse(404, missing, "it is not here");
    }

    function getBlob(digest: string): DoubleAnswer {
        return options.blobStorage !== undefined && contents.has(digest)
            ? { status: 307, headers: { location: `${options.blobStorage}/${digest}?signature=abc` } }
            : getContent(digest, "BLOB_UNKNOWN");
    }

    function answerUpload(method: string, repository: string, name: string): DoubleAnswer {
        if (method === "POST") {
            const upload = randomUUID();
            uploads.add(upload);
            return { status: 202, headers: { location: `/v2/${repository}/blobs/uploads/${upload}?state=x` } };
        }
        uploads.delete(name.replace("uploads/", ""));
        return { status: 204 };
    }

    return {
        host,
        requests,
        uploads,
        putManifest(repository, document, tag) {
            const stored = store(Buffer.from(JSON.stringify(document)), (document as { mediaType: string }).mediaType);
            if (tag !== undefined) {
                tags.set(`${repository}:${tag}`, stored.digest);
            }
            return stored;
        },
        putBlob: (_repository, content) => store(Buffer.from(content), "application/octet-stream"),
        removeContent: (digest) => contents.delete(digest),
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
