import { createHash, randomUUID } from "node:crypto";
import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";

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
    readonly answer: { status: number; headers?: Record<string, string>; body?: string } | "cut" | "truncate" | "hang";
}

/** How a double behaves. By default it speaks plain HTTP and asks for no account. */
export interface DoubleOptions {
    readonly tls?: { readonly cert: string; readonly key: string };
    readonly auth?: "basic" | "bearer";
    /** The realm of the token service. By default the double itself. */
    readonly realm?: string;
    /** Accounts: the password, and whether they may push. By default `user` with `secret`, who may. */
    readonly users?: Readonly<Record<string, { password: string; canPush: boolean }>>;
    /** A refresh token that the token service takes. */
    readonly refreshToken?: string;
    /** Where the content of blobs really is. By default in the registry itself. */
    readonly blobStorage?: string;
    /** Headers to leave out of answers, in lower case. */
    readonly withoutHeaders?: readonly string[];
    /** Refuses to point a tag to something else, or to the same again. */
    readonly immutableTags?: boolean;
}

type Answer = Exclude<Fault["answer"], string> & { bytes?: Buffer };

export function digestOfText(bytes: Buffer | string): string {
    return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

export async function startRegistryDouble(options: DoubleOptions = {}): Promise<RegistryDouble> {
    const users = options.users ?? { user: { password: "secret", canPush: true } };
    const contents = new Map<string, { bytes: Buffer; mediaType: string }>();
    const tags = new Map<string, string>();
    const tokens = new Map<string, string>();
    const uploads = new Set<string>();
    const requests: SeenRequest[] = [];
    const faults: { fault: Fault; left: number }[] = [];

    const server = options.tls ? createTlsServer(options.tls, handle) : createPlainServer(handle);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const scheme = options.tls ? "https" : "http";
    const host = `localhost:${(server.address() as AddressInfo).port}`;

    function store(bytes: Buffer, mediaType: string): StoredContent {
        const digest = digestOfText(bytes);
        contents.set(digest, { bytes, mediaType });
        return { mediaType, digest, size: bytes.length };
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
        const bytes = "bytes" in answer ? (answer.bytes as Buffer) : Buffer.from(answer.body ?? "");
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

    function route(method: string, path: string, header: string | undefined, body: Buffer, request: IncomingMessage): Answer {
        const url = new URL(path, `${scheme}://${host}`);
        if (url.pathname === "/token") {
            return answerToken(url, header, body);
        }
        const match = /^\/v2\/(?:(.+)\/(manifests|blobs)\/(.+))?$/.exec(url.pathname);
        if (!match) {
            return refuse(404, "NOT_A_REGISTRY_PATH", "no such page");
        }
        const [, repository = "", kind = "", name = ""] = match;
        const action = method === "GET" || method === "HEAD" ? "pull" : "push";
        const denied = authorize(header, repository, action);
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

    function authorize(header: string | undefined, repository: string, action: string): Answer | undefined {
        if (options.auth === undefined) {
            return undefined;
        }
        if (options.auth === "basic") {
            const user = findUser(header);
            if (!user) {
                return refuse(401, "UNAUTHORIZED", "authentication required", 'Basic realm="a, b"');
            }
            return action === "push" && !user.canPush ? refuse(403, "DENIED", "read only") : undefined;
        }
        const scope = tokens.get(header?.replace("Bearer ", "") ?? "");
        const fits = scope === "" ? repository === "" : scope?.includes(`repository:${repository}:`) && scope.includes(action);
        if (scope !== undefined && (fits || repository === "")) {
            return undefined;
        }
        const wanted = repository === "" ? "" : `,scope="repository:${repository}:${action === "push" ? "pull,push" : "pull"}"`;
        const reason = scope === undefined ? "" : ',error="insufficient_scope"';
        const realm = options.realm ?? `${scheme}://${host}/token`;
        const challenge = `Bearer realm="${realm}",service="registry, double"${wanted}${reason}`;
        return refuse(401, "UNAUTHORIZED", "authentication required", challenge);
    }

    function findUser(header: string | undefined) {
        const [name = "", password] = Buffer.from(header?.replace("Basic ", "") ?? "", "base64").toString().split(":");
        const user = users[name];
        return user?.password === password ? user : undefined;
    }

    function answerToken(url: URL, header: string | undefined, body: Buffer): Answer {
        const form = new URLSearchParams(body.toString());
        const user = findUser(header);
        const isRefresh = options.refreshToken !== undefined && form.get("refresh_token") === options.refreshToken;
        if (!isRefresh && !user) {
            return { status: 401, body: JSON.stringify({ details: "incorrect username or password" }) };
        }
        const asked = isRefresh ? (form.get("scope") ?? "") : url.searchParams.getAll("scope").join(" ");
        const token = `token-${randomUUID()}`;
        tokens.set(token, isRefresh || user?.canPush ? asked : asked.replaceAll(",push", ""));
        return { status: 200, body: JSON.stringify(isRefresh ? { access_token: token } : { token, expires_in: 60 }) };
    }

    function putManifest(repository: string, name: string, body: Buffer, mediaType: string): Answer {
        if (options.immutableTags && tags.has(`${repository}:${name}`)) {
            return refuse(400, "TAG_INVALID", `the tag ${name} is immutable`);
        }
        const { digest } = store(body, mediaType);
        if (!name.startsWith("sha256:")) {
            tags.set(`${repository}:${name}`, digest);
        }
        return { status: 201, headers: { "docker-content-digest": digest } };
    }

    function getContent(digest: string, missing: string): Answer {
        const found = contents.get(digest);
        return found
            ? {
                  status: 200,
                  headers: { "content-type": found.mediaType, "docker-content-digest": digest },
                  bytes: found.bytes,
              }
            : refuse(404, missing, "it is not here");
    }

    function getBlob(digest: string): Answer {
        return options.blobStorage !== undefined && contents.has(digest)
            ? { status: 307, headers: { location: `${options.blobStorage}/${digest}?signature=abc` } }
            : getContent(digest, "BLOB_UNKNOWN");
    }

    function answerUpload(method: string, repository: string, name: string): Answer {
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
            tokens.clear();
        },
        async close() {
            server.closeAllConnections();
            await new Promise((resolve) => server.close(resolve));
        },
    };
}

function refuse(status: number, code: string, message: string, challenge?: string): Answer {
    const headers = challenge === undefined ? {} : { "www-authenticate": challenge };
    return { status, headers, body: JSON.stringify({ errors: [{ code, message }] }) };
}
