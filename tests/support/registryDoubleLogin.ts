import { randomUUID } from "node:crypto";

/** An answer of the double. */
export interface DoubleAnswer {
    readonly status: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
    /** In the place of `body`. */
    readonly bytes?: Buffer;
}

/** How a double asks for an account. By default it does not. */
export interface LoginOptions {
    readonly auth?: "basic" | "bearer";
    /** The realm of the token service. By default the double itself. */
    readonly realm?: string;
    /** Accounts: the password, and whether they may push. By default `user` with `hunter2`, who may. */
    readonly users?: Readonly<Record<string, { password: string; canPush: boolean }>>;
    /** A refresh token that the token service takes. */
    readonly refreshToken?: string;
}

/** The part of a double that knows accounts and tokens. */
export interface Login {
    /** The refusal, or undefined for a request that is allowed. */
    authorize(header: string | undefined, repository: string, action: "pull" | "push"): DoubleAnswer | undefined;
    answerToken(url: URL, header: string | undefined, body: Buffer): DoubleAnswer;
    expireTokens(): void;
}

export function createLogin(options: LoginOptions, origin: string): Login {
    const users = options.users ?? { user: { password: "hunter2", canPush: true } };
    /** Each token with the scopes it is good for. */
    const tokens = new Map<string, string>();

    function findUser(header: string | undefined) {
        const pair = Buffer.from(header?.replace("Basic ", "") ?? "", "base64").toString();
        const [name = "", password] = pair.split(":");
        const user = users[name];
        return user?.password === password ? user : undefined;
    }

    function authorizeBasic(header: string | undefined, action: string): DoubleAnswer | undefined {
        const user = findUser(header);
        if (!user) {
            return refuse(401, "UNAUTHORIZED", "authentication required", 'Basic realm="a, b"');
        }
        return action === "push" && !user.canPush ? refuse(403, "DENIED", "read only") : undefined;
    }

    function authorizeBearer(header: string | undefined, repository: string, action: string): DoubleAnswer | undefined {
        const scope = tokens.get(header?.replace("Bearer ", "") ?? "");
        const allowed = scope?.split(" ").find((one) => one.startsWith(`repository:${repository}:`));
        if (scope !== undefined && (repository === "" || allowed?.includes(action))) {
            return undefined;
        }
        const actions = action === "push" ? "pull,push" : "pull";
        const wanted = repository === "" ? "" : `,scope="repository:${repository}:${actions}"`;
        const reason = scope === undefined ? "" : ',error="insufficient_scope"';
        const realm = options.realm ?? `${origin}/token`;
        const challenge = `Bearer realm="${realm}",service="registry, double"${wanted}${reason}`;
        return refuse(401, "UNAUTHORIZED", "authentication required", challenge);
    }

    return {
        authorize(header, repository, action) {
            switch (options.auth) {
                case "basic":
                    return authorizeBasic(header, action);
                case "bearer":
                    return authorizeBearer(header, repository, action);
                default:
                    return undefined;
            }
        },
        answerToken(url, header, body) {
            const form = new URLSearchParams(body.toString());
            const user = findUser(header);
            const isRefresh = options.refreshToken !== undefined && form.get("refresh_token") === options.refreshToken;
            if (!isRefresh && !user) {
                return { status: 401, body: JSON.stringify({ details: "incorrect username or password" }) };
            }
            const asked = isRefresh ? (form.get("scope") ?? "") : url.searchParams.getAll("scope").join(" ");
            const token = `token-${randomUUID()}`;
            tokens.set(token, isRefresh || user?.canPush ? asked : asked.replaceAll(",push", ""));
            return {
                status: 200,
                body: JSON.stringify(isRefresh ? { access_token: token } : { token, expires_in: 60 }),
            };
        },
        expireTokens: () => {
            tokens.clear();
        },
    };
}

/** A refusal as registries write it. */
export function refuse(status: number, code: string, message: string, challenge?: string): DoubleAnswer {
    const headers = challenge === undefined ? {} : { "www-authenticate": challenge };
    return { status, headers, body: JSON.stringify({ errors: [{ code, message }] }) };
}
