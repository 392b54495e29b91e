import { randomBytes } from "node:crypto";

import { report, type PlainAnswer } from "./faultKinds";

/** The login of a registry with a token service, as the registries of the clouds have it. */
export interface ProxyLogin {
    /** Answers like a token service. */
    giveToken(method: string, url: URL, authorization: string | undefined): PlainAnswer;
    /** The refusal for a request that lacks a token with the rights it needs; undefined when it has one. */
    refuse(request: LoginRequest): PlainAnswer | undefined;
    /** What a refusal asks for. */
    challenge(request: LoginRequest): string;
}

/** What a login looks at. */
export interface LoginRequest {
    readonly method: string;
    /** The name of the repository. Undefined for the greeting. */
    readonly repository: string | undefined;
    readonly authorization: string | undefined;
}

/** Makes the login for one account. */
export function createProxyLogin(registry: string, account: { username: string; password: string }): ProxyLogin {
    const { username, password } = account;
    const basic = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
    const rights = new Map<string, Set<string>>();

    const scopeOf = ({ method, repository }: LoginRequest): string[] => {
        const needed = ["GET", "HEAD"].includes(method) ? "pull" : method === "DELETE" ? "delete" : "push";
        return repository === undefined ? [] : [`repository:${repository}:${needed}`];
    };
    const challenge = (request: LoginRequest): string => {
        const [scope] = scopeOf(request);
        return `Bearer realm="https://${registry}/token",service="proxy"${scope ? `,scope="${scope}"` : ""}`;
    };

    return {
        challenge,
        giveToken(method, url, authorization) {
            if (method !== "GET") {
                // Most services know the older of the two ways only.
                return report(405, "UNSUPPORTED");
            }
            if (authorization !== basic) {
                return report(401, "UNAUTHORIZED");
            }
            const asked = url.searchParams.getAll("scope").flatMap((scopes) => scopes.split(" "));
            const granted = asked.flatMap((scope) => {
                const [, place = "", actions = ""] = /^(.*):([^:]*)$/.exec(scope) ?? [];
                return actions.split(",").map((action) => `${place}:${action}`);
            });
            const token = randomBytes(16).toString("hex");
            rights.set(token, new Set(granted));
            const body = JSON.stringify({ token, expires_in: 300 });
            return { status: 200, headers: { "content-type": "application/json" }, body: Buffer.from(body) };
        },
        refuse(request) {
            const granted = rights.get(request.authorization?.replace(/^Bearer /, "") ?? "");
            // A deletion of an upload needs no more than the right to push.
            const lacking = scopeOf(request).filter(
                (scope) => !granted?.has(scope) && !granted?.has(scope.replace(/:delete$/, ":push")),
            );
            if (granted !== undefined && lacking.length === 0) {
                return undefined;
            }
            return report(401, "UNAUTHORIZED", { "www-authenticate": challenge(request) });
        },
    };
}
