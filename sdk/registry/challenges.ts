/** One way to log in that a server offers. */
export interface Challenge {
    /** The scheme in lower case: `basic`, `bearer`. */
    readonly scheme: string;
    /** Its parameters; the names are in lower case. */
    readonly params: Readonly<Record<string, string>>;
}

/**
 * Reads the header WWW-Authenticate. One header may hold several challenges, and a quoted value may hold commas:
 * https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1. What cannot be read is skipped.
 */
export function parseChallenges(header: string | readonly string[] | undefined): Challenge[] {
    const text = typeof header === "string" ? header : (header ?? []).join(", ");
    const challenges: { scheme: string; params: Record<string, string> }[] = [];
    let position = 0;

    function take(pattern: RegExp): RegExpExecArray | undefined {
        const sticky = new RegExp(pattern, "y");
        sticky.lastIndex = position;
        const match = sticky.exec(text);
        if (match) {
            position = sticky.lastIndex;
        }
        return match ?? undefined;
    }

    while (position < text.length) {
        take(/[\s,]+/);
        const word = take(/[!#$%&'*+.^_`|~0-9A-Za-z-]+/)?.[0];
        if (word === undefined) {
            position += 1;
            continue;
        }
        const current = challenges.at(-1);
        if (current && take(/\s*=\s*/)) {
            // Some servers leave the quotes off a URL, although it is not a token.
            const quoted = take(/"((?:[^"\\]|\\.)*)"/)?.[1];
            current.params[word.toLowerCase()] = quoted?.replace(/\\(.)/g, "$1") ?? take(/[^\s,]*/)?.[0] ?? "";
            continue;
        }
        challenges.push({ scheme: word.toLowerCase(), params: {} });
        // Other schemes send one bare value instead of parameters; nothing here uses it.
        take(/ +[A-Za-z0-9._~+/-]+=*(?=\s*(?:,|$))/);
    }
    return challenges;
}
