import { parseChallenges, type Challenge } from "./challenges";
import type { FoundCredential } from "./credentials";
import { type AccountFacts, answerError, type Attempt, brokenError } from "./faults";
import { isLoopback, type Answer, type Outgoing } from "./transport";

/** Logs in to one registry, and remembers how for as long as the client lives. */
export interface Authorizer {
    /** The header for a request with this scope, as far as it is known how to log in. */
    authorize(scope: string): Promise<string | undefined>;
    /**
     * The header for the same request again, after a 401 with this challenge. Undefined when there is nothing else to
     * offer than what was refused.
     */
    renew(challenge: string | string[] | undefined, scope: string, refused?: string): Promise<string | undefined>;
    /** What an error may say about the account. */
    facts(challenge?: string | string[]): AccountFacts;
}

/** What an authorizer needs. */
export interface AuthorizerOptions {
    readonly registry: string;
    /** Finds the account. Asked for each token, and once for Basic. */
    readonly findCredential: () => Promise<FoundCredential | undefined>;
    /** Sends a request. `check` throws for a good answer that is none. */
    readonly send: (
        attempt: Attempt,
        outgoing: Omit<Outgoing, "signal">,
        check: (answer: Answer) => void,
    ) => Promise<Answer>;
}

const tokenLimit = 1024 * 1024;

/** Makes an authorizer. It follows https://distribution.github.io/distribution/spec/auth/token/ and .../oauth/ */
export function createAuthorizer(options: AuthorizerOptions): Authorizer {
    const headers = new Map<string, Promise<string | undefined>>();
    const secrets = new Set<string>();
    let chosen: Challenge | undefined;
    let source: string | undefined;

    async function findAccount(): Promise<FoundCredential | undefined> {
        const account = await options.findCredential();
        source = account?.source;
        for (const secret of [account?.password, account?.identityToken, account?.registryToken]) {
            if (secret !== undefined && secret !== "") {
                secrets.add(secret);
            }
        }
        return account;
    }

    function basic(username: string, password: string): string {
        const pair = Buffer.from(`${username}:${password}`, "utf8").toString("base64");
        secrets.add(pair);
        return `Basic ${pair}`;
    }

    async function logIn(challenge: Challenge, scope: string): Promise<string | undefined> {
        const account = await findAccount();
        if (challenge.scheme === "basic") {
            return account?.username === undefined ? undefined : basic(account.username, account.password ?? "");
        }
        if (account?.registryToken !== undefined) {
            return `Bearer ${account.registryToken}`;
        }
        const token = await fetchToken(challenge, scope, account);
        secrets.add(token);
        return `Bearer ${token}`;
    }

    async function fetchToken(challenge: Challenge, scope: string, account?: FoundCredential): Promise<string> {
        const attempt: Attempt = { registry: options.registry, doing: "asking for an access token" };
        const realm = URL.parse(challenge.params.realm ?? "");
        if (realm === null || (realm.protocol !== "https:" && !isLoopback(realm.hostname))) {
            throw brokenError(attempt, "the registry names no https address to ask");
        }
        const scopes = mergeScopes(scope, challenge.params.scope ?? "");
        let token: string | undefined;
        const answer = await options.send(attempt, tokenRequest(realm, challenge, scopes, account), ({ body }) => {
            token = readToken(body);
            if (token === undefined) {
                throw brokenError(attempt, "the answer holds no token").with({ transient: true });
            }
        });
        if (token === undefined) {
            throw answerError(attempt, answer, facts());
        }
        return token;
    }

    function tokenRequest(realm: URL, challenge: Challenge, scopes: string[], account?: FoundCredential): Outgoing {
        const service = challenge.params.service;
        const common = { bodyLimit: tokenLimit };
        if (account?.identityToken !== undefined) {
            const form = new URLSearchParams({
                grant_type: "refresh_token",
                client_id: "pulumi-multiarch",
                ...(service === undefined ? {} : { service }),
                ...(scopes.length > 0 ? { scope: scopes.join(" ") } : {}),
                refresh_token: account.identityToken,
            });
            const headers = { "content-type": "application/x-www-form-urlencoded" };
            return { ...common, method: "POST", url: realm, headers, body: Buffer.from(form.toString()) };
        }
        const url = new URL(realm);
        if (service !== undefined) {
            url.searchParams.set("service", service);
        }
        scopes.forEach((one) => {
            url.searchParams.append("scope", one);
        });
        const headers: Record<string, string> =
            account?.username === undefined ? {} : { authorization: basic(account.username, account.password ?? "") };
        return { ...common, method: "GET", url, headers };
    }

    function remember(challenge: Challenge, scope: string): Promise<string | undefined> {
        const key = challenge.scheme === "basic" ? "" : scope;
        const known = headers.get(key);
        if (known) {
            return known;
        }
        const made = logIn(challenge, scope);
        headers.set(key, made);
        made.catch(() => headers.delete(key));
        return made;
    }

    function facts(challenge?: string | string[]): AccountFacts {
        const refused = parseChallenges(challenge).some(({ params }) => params.error === "insufficient_scope");
        return { source, lacksRights: refused && source !== undefined, secrets: [...secrets] };
    }

    return {
        authorize: async (scope) => (chosen ? remember(chosen, scope) : undefined),
        renew: async (header, scope, refused) => {
            const offered = parseChallenges(header);
            // The strongest that is known here: https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
            const challenge = ["bearer", "basic"].map((scheme) => offered.find((one) => one.scheme === scheme));
            chosen = challenge[0] ?? challenge[1];
            if (!chosen) {
                return undefined;
            }
            const known = await remember(chosen, scope);
            if (known !== refused || chosen.scheme === "basic") {
                return known === refused ? undefined : known;
            }
            headers.delete(scope);
            return remember(chosen, scope);
        },
        facts,
    };
}

/**
 * The scopes that are needed, and what the registry asks for beyond them. What it asks for another repository is left
 * out: GHCR answers GET /v2/ with a scope that is an example, and refuses a token for it.
 */
function mergeScopes(needed: string, asked: string): string[] {
    const own = splitScopes(needed);
    const places = own.map(repositoryOf);
    const further = splitScopes(asked).filter((scope) => {
        const place = repositoryOf(scope);
        return (place === undefined || places.includes(place)) && !own.some((one) => covers(one, scope));
    });
    return [...own, ...further];
}

/** The repository a scope is about; undefined for a scope of another kind, such as `registry:catalog:*`. */
function repositoryOf(scope: string): string | undefined {
    return /^repository(?:\([^)]*\))?:(.*):[^:]*$/.exec(scope)?.[1];
}

function splitScopes(scopes: string): string[] {
    return scopes.split(" ").filter((scope) => scope !== "");
}

function covers(scope: string, other: string): boolean {
    const place = scope.slice(0, scope.lastIndexOf(":") + 1);
    const allowed = new Set(scope.slice(place.length).split(","));
    return (
        other.startsWith(place) &&
        other
            .slice(place.length)
            .split(",")
            .every((action) => allowed.has(action))
    );
}

function readToken(body: Buffer): string | undefined {
    try {
        const { token, access_token: accessToken } = JSON.parse(body.toString("utf8")) as Record<string, unknown>;
        const found = [token, accessToken].find((value) => typeof value === "string" && value !== "");
        // A line break in a header would let the token service write further headers.
        return typeof found === "string" && /^[\x21-\x7e]+$/.test(found) ? found : undefined;
    } catch {
        return undefined;
    }
}
