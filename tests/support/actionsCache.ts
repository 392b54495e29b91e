import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/**
 * A double of the cache service of GitHub Actions, because the real one answers only to its own runners: the three calls
 * of version 2 that BuildKit makes, and the part of Azure Blob Storage that they lead to.
 * https://github.com/tonistiigi/go-actions-cache/blob/54bc28c26fd2/cache_v2.go
 */
export interface ActionsCache {
    readonly url: string;
    /** What a job would find as `ACTIONS_RUNTIME_TOKEN`. */
    readonly token: string;
    /** The keys of all entries that are whole. */
    readonly keys: () => string[];
    readonly stop: () => Promise<void>;
}

interface Entry {
    readonly blocks: Map<string, Buffer>;
    content: Buffer;
    isWhole: boolean;
}

const calls = "/twirp/github.actions.results.api.v1.CacheService/";

/** Starts it on an address of this process. */
export async function startActionsCache(host: string): Promise<ActionsCache> {
    const entries = new Map<string, Entry>();
    const token = createToken();
    const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
        const body = await readBody(request);
        const url = new URL(request.url ?? "/", `http://${request.headers.host ?? host}`);
        if (url.pathname.startsWith(calls)) {
            if (request.headers.authorization !== `Bearer ${token}`) {
                send(response, 401, JSON.stringify({ code: "unauthenticated", message: "no such token" }));
                return;
            }
            const call = url.pathname.slice(calls.length);
            const [status, content] = answerCall(call, JSON.parse(body.toString()) as Query, entries, url.origin);
            send(response, status, JSON.stringify(content));
            return;
        }
        answerBlob(request, response, url, body, entries);
    };
    const server = createServer((request, response) => {
        answer(request, response).catch((error: unknown) => send(response, 500, String(error)));
    });
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    return {
        url: `http://${host}:${port}/`,
        token,
        keys: () => [...entries].filter(([, { isWhole }]) => isWhole).map(([key]) => key),
        stop: () =>
            new Promise((resolve) => {
                server.close(() => resolve());
                server.closeAllConnections();
            }),
    };
}

interface Query {
    readonly key: string;
    readonly restore_keys?: readonly string[];
}

function answerCall(call: string, query: Query, entries: Map<string, Entry>, origin: string): [number, object] {
    const address = (key: string): string => `${origin}/blobs/${encodeURIComponent(key)}`;
    const entry = entries.get(query.key);
    switch (call) {
        case "CreateCacheEntry":
            if (entry !== undefined) {
                return [409, { code: "already_exists", message: "cache entry with the same key already exists" }];
            }
            entries.set(query.key, { blocks: new Map(), content: Buffer.alloc(0), isWhole: false });
            return [200, { ok: true, signed_upload_url: address(query.key) }];
        case "FinalizeCacheEntryUpload":
            if (entry === undefined) {
                return [404, { code: "not_found", message: "no such entry" }];
            }
            entry.isWhole = true;
            return [200, { ok: true, entry_id: "1" }];
        case "GetCacheEntryDownloadURL": {
            // A key stands for all that begin with it, the newest first.
            const prefixes = [query.key, ...(query.restore_keys ?? [])];
            const found = [...entries]
                .reverse()
                .find(([key, { isWhole }]) => isWhole && prefixes.some((prefix) => key.startsWith(prefix)));
            const key = found?.[0] ?? "";
            return [200, found ? { ok: true, signed_download_url: address(key), matched_key: key } : { ok: false }];
        }
        default:
            return [404, { code: "bad_route", message: call }];
    }
}

/** Blobs are uploaded whole, or in blocks that a list puts in order. */
function answerBlob(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    body: Buffer,
    entries: Map<string, Entry>,
): void {
    const entry = entries.get(decodeURIComponent(url.pathname.replace(/^\/blobs\//, "")));
    const part = url.searchParams.get("comp");
    if (entry === undefined) {
        send(response, 404, "");
    } else if (request.method === "PUT") {
        if (part === "block") {
            entry.blocks.set(url.searchParams.get("blockid") ?? "", body);
        } else if (part === "blocklist") {
            const ids = [...body.toString().matchAll(/<(?:Latest|Uncommitted)>([^<]*)</g)].map(([, id]) => id ?? "");
            entry.content = Buffer.concat(ids.map((id) => entry.blocks.get(id) ?? Buffer.alloc(0)));
        } else {
            entry.content = body;
        }
        send(response, 201, "", { "x-ms-request-id": "1", etag: '"1"' });
    } else {
        const asked = request.headers["x-ms-range"] ?? request.headers.range;
        const start = Number(/bytes=(\d+)-/.exec(String(asked))?.[1] ?? 0);
        const range = { "content-range": `bytes ${start}-${entry.content.length - 1}/${entry.content.length}` };
        const headers = { "x-ms-request-id": "1", ...(asked === undefined ? {} : range) };
        send(response, asked === undefined ? 200 : 206, entry.content.subarray(start), headers);
    }
}

/** What BuildKit reads of a token, without checking the signature: what it gives access to, and for how long. */
function createToken(): string {
    const now = Math.floor(Date.now() / 1_000);
    const claims = {
        ac: JSON.stringify([{ Scope: "refs/heads/main", Permission: 3 }]),
        nbf: now - 60,
        exp: now + 3_600,
    };
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    return `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}.${Buffer.from("unchecked").toString("base64url")}`;
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
        chunks.push(chunk as Buffer);
    }
    return Buffer.concat(chunks);
}

function send(response: ServerResponse, status: number, body: string | Buffer, headers = {}): void {
    response.writeHead(status, { "content-type": "application/json", "content-length": body.length, ...headers });
    response.end(body);
}
