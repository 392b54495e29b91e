import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Agent, createServer, request as sendRequest } from "node:https";
import { buffer } from "node:stream/consumers";

import { refusalOf, report, type FaultKind, type PlainAnswer } from "./faultKinds";
import { createProxyLogin, type LoginRequest } from "./faultProxyLogin";
import { findMissing, findMissingParts, type Ask } from "./tagGuard";
import type { RegistryPlace, World } from "./world";

/** Who asks: this package, or a builder and the buildx that logs in for it. */
export type Asker = "client" | "builder";

/** A request as the proxy saw it. */
export interface ProxiedRequest {
    readonly asker: Asker;
    /** Method and path without the repository; digests and uploads have names, for example `PUT manifests/<index>`. */
    readonly request: string;
    /** The status of the answer; 0 for none. */
    readonly status: number;
    readonly fault?: FaultKind | undefined;
}

/** What goes wrong once. */
export interface ProxyFault {
    readonly asker: Asker;
    /** As in `ProxiedRequest`, or a pattern of it. */
    readonly request: string | RegExp;
    readonly kind: FaultKind;
}

/**
 * Stands in front of the real registry and lets everything through but for one request: the one it is armed for. It
 * asks for tokens, and sees to it that no tag is ever set to less than everything and that no manifest is deleted.
 */
export interface FaultProxy extends RegistryPlace {
    /** All requests that got past the login, in order. */
    readonly requests: ProxiedRequest[];
    /** What must never happen and did. */
    readonly violations: readonly string[];
    /** The digests of all manifests that the registry has taken. */
    readonly stored: ReadonlySet<string>;
    /** Injects a fault into the next request that fits. Says afterwards whether there was one. */
    arm(fault: ProxyFault): { hasFired: () => boolean };
    /** Asks the registry itself, past everything that may go wrong on the way. */
    readonly ask: Ask;
    /** Gives a digest a name in `requests`. */
    name(digest: string, name: string): void;
    close(): Promise<void>;
}

/** Starts a proxy for a registry that asks for no account, at one of the addresses that the builders trust. */
export async function startFaultProxy(world: World, behind: RegistryPlace, registry: string): Promise<FaultProxy> {
    const agent = new Agent({ ca: readFileSync(world.caFile), keepAlive: true });
    const login = createProxyLogin(registry, behind);
    const requests: ProxiedRequest[] = [];
    const violations: string[] = [];
    const stored = new Set<string>();
    const names = new Map<string, string>();
    let armed: { fault: ProxyFault; fired: boolean } | undefined;

    /** Sends a request to the registry; of a `half` one only half of the body arrives there. */
    const forward = (request: Incoming, half = false): Promise<PlainAnswer> =>
        new Promise((resolve, reject) => {
            const { authorization: _token, ...others } = request.headers;
            const headers = { ...others, "content-length": request.body.length };
            const target = `https://${behind.registry}${request.url}`;
            const upstream = sendRequest(target, { method: request.method, headers, agent }, (answer) => {
                const parts: Buffer[] = [];
                answer.on("data", (part: Buffer) => parts.push(part)).on("error", reject);
                answer.on("end", () => {
                    const status = answer.statusCode ?? 0;
                    resolve({ status, headers: withoutHops(answer.headers), body: Buffer.concat(parts) });
                });
            });
            upstream.on("error", reject);
            if (half) {
                upstream.write(request.body.subarray(0, request.body.length / 2), () => upstream.destroy());
            } else {
                upstream.end(request.body);
            }
        });
    const ask: Ask = (method, url) =>
        forward({ method, url, headers: { accept: manifestTypes, host: registry }, body: Buffer.alloc(0) });

    /** Does what a request asks for, and looks at what came of it. */
    async function pass(request: Incoming, half: boolean): Promise<PlainAnswer> {
        const { repository = "", rest } = splitPath(request.url);
        const name = /^manifests\/(.*)$/.exec(rest)?.[1];
        const isTag = name !== undefined && !name.startsWith("sha256:");
        if (request.method === "DELETE" && name !== undefined && !isTag) {
            violations.push(`the manifest ${name} was to be deleted`);
            return report(405, "UNSUPPORTED");
        }
        const moves = request.method === "PUT" && isTag;
        if (moves && !half) {
            const missing = await findMissingParts(ask, repository, request.body);
            violations.push(...missing.map((text) => `the tag ${name} was set too early: ${text}`));
        }
        const answer = half ? await forward(request, true).catch(() => report(500, "")) : await forward(request);
        if (moves && ((await ask("HEAD", request.url)).status === 200 || !half)) {
            const missing = await findMissing(ask, repository, name);
            violations.push(...missing.map((text) => `the tag ${name} is not whole: ${text}`));
        }
        if (request.method === "PUT" && name !== undefined && answer.status < 300) {
            stored.add(`sha256:${createHash("sha256").update(request.body).digest("hex")}`);
        }
        return answer;
    }

    async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
        const request: Incoming = {
            method: incoming.method ?? "",
            url: incoming.url ?? "",
            headers: withoutHops(incoming.headers),
            body: await buffer(incoming),
        };
        const { repository } = splitPath(request.url);
        const { authorization, "user-agent": userAgent = "" } = incoming.headers;
        const wanted: LoginRequest = { method: request.method, repository, authorization };
        const isToken = request.url.startsWith("/token");
        const refusal = isToken ? undefined : login.refuse(wanted);
        if (refusal !== undefined) {
            send(response, refusal);
            return;
        }
        const asker = userAgent.startsWith("pulumi-multiarch") ? "client" : "builder";
        const seen = { asker, request: describe(request, names) } as const;
        const fires = armed?.fired === false && armed.fault.asker === asker && fits(armed.fault, seen.request);
        const kind = fires ? armed?.fault.kind : undefined;
        if (armed && fires) {
            armed.fired = true;
        }
        const injected = kind && refusalOf(kind, request.url, login.challenge(wanted));
        const half = kind === "truncated" && request.body.length > 0;
        const serve = (): Promise<PlainAnswer> | PlainAnswer =>
            isToken
                ? login.giveToken(request.method, new URL(request.url, `https://${registry}`), authorization)
                : pass(request, half);
        const answer = injected ?? (await serve());
        requests.push({ ...seen, status: answer.status, fault: kind });
        if (kind === undefined || injected) {
            send(response, answer);
        } else {
            deliver(response, answer, half ? "cut" : kind);
        }
    }

    const server = createServer({ cert: world.doubles.cert, key: world.doubles.key }, (request, response) => {
        // A client that is gone is no fault of the proxy.
        handle(request, response).catch(() => response.destroy());
    });
    const [host = "", port] = registry.split(":");
    await new Promise<void>((resolve) => server.listen(Number(port), host, resolve));
    const { username, password, caFile, folder } = behind;
    return {
        ...{ registry, username, password, caFile, folder },
        ...{ requests, violations, stored, ask },
        arm(fault) {
            const own = { fault, fired: false };
            armed = own;
            return { hasFired: () => own.fired };
        },
        name: (digest, name) => void names.set(digest, name),
        async close() {
            server.closeAllConnections();
            await new Promise((resolve) => server.close(resolve));
            agent.destroy();
        },
    };
}

function fits({ request }: ProxyFault, seen: string): boolean {
    return typeof request === "string" ? request === seen : request.test(seen);
}

interface Incoming {
    readonly method: string;
    readonly url: string;
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
    readonly body: Buffer;
}

const manifestTypes = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

function splitPath(url: string): { repository: string | undefined; rest: string } {
    const [, repository, rest = url] = /^\/v2\/(.+?)\/((?:manifests|blobs|tags)\/[^?]*)/.exec(url) ?? [];
    return { repository, rest };
}

function describe({ method, url }: Incoming, names: ReadonlyMap<string, string>): string {
    const path = splitPath(url).rest.replace(/\?.*$/, "");
    const named = path
        .replace(/sha256:[0-9a-f]{64}/, (digest) => `<${names.get(digest) ?? "digest"}>`)
        .replace(/^(blobs\/uploads\/).+/, "$1<upload>");
    return `${method} ${named}`;
}

function withoutHops(headers: IncomingMessage["headers"]): Incoming["headers"] {
    const { connection: _connection, "transfer-encoding": _encoding, ...others } = headers;
    return others;
}

function send(response: ServerResponse, { status, headers, body }: PlainAnswer): void {
    response.writeHead(status, { "content-length": body.length, ...headers });
    response.end(body);
}

/** Gives an answer that the registry has given, or what a fault leaves of it. */
function deliver(response: ServerResponse, answer: PlainAnswer, kind: FaultKind): void {
    const { status, headers, body } = answer;
    const half = body.subarray(0, body.length / 2);
    if (kind === "slow") {
        // The connection ends with the patience of who waits, or with the proxy.
        return;
    }
    if (kind === "cut") {
        response.socket?.destroy();
    } else if (kind === "shortened") {
        send(response, { status, headers: { ...headers, "content-length": String(half.length) }, body: half });
    } else if (body.length > 0) {
        response.writeHead(status, { ...headers, "content-length": body.length });
        response.write(half, () => response.socket?.destroy());
    } else {
        const { socket } = response;
        socket?.write(`HTTP/1.1 ${status} Acc`, () => socket.destroy());
    }
}
