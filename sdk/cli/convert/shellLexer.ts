/** A word of a shell script, or what stands between commands. */
export type Token =
    | { readonly kind: "word"; readonly text: string; readonly line: number; readonly trouble?: string }
    | { readonly kind: "operator"; readonly text: string; readonly line: number };

/** Called for each variable, with its default where `${NAME:-default}` has one. Gives the text to put in its place. */
export type ReadVariable = (name: string, byDefault: string | undefined) => string;

const operators = [
    ";;",
    "&&",
    "||",
    "<<<",
    "<<-",
    "<<",
    ">>",
    ">&",
    "<&",
    ">|",
    ";",
    "&",
    "|",
    "(",
    ")",
    "<",
    ">",
    "\n",
];

/**
 * Takes a script apart the way a POSIX shell does, without running anything: quotes, escapes, continued lines, comments
 * and variables. What only a shell can know (a command in a command, patterns, arithmetic) is trouble of its word.
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html
 */
export function* readTokens(script: string, readVariable: ReadVariable): Generator<Token> {
    const reader = new Reader(blankDocuments(script.replaceAll("\r\n", "\n").replaceAll("\0", "")), readVariable);
    for (let token = reader.next(); token !== undefined; token = reader.next()) {
        yield token;
    }
}

/** Takes the bodies of here-documents away, which are no commands, and leaves their line breaks. */
function blankDocuments(script: string): string {
    return script.replace(
        /(<<-?[ \t]*(["']?)(\w+)\2[^\n]*)\n(?:[\s\S]*?\n)?[ \t]*\3(?=\n|$)/g,
        (whole, first: string) => first + "\n".repeat(whole.split("\n").length - 1),
    );
}

class Reader {
    private at = 0;
    private line = 1;
    private trouble: string | undefined;

    constructor(
        private readonly script: string,
        private readonly readVariable: ReadVariable,
    ) {}

    next(): Token | undefined {
        this.skipBlank();
        if (this.at >= this.script.length) {
            return undefined;
        }
        const { line } = this;
        const operator = operators.find((text) => this.script.startsWith(text, this.at));
        if (operator !== undefined) {
            this.take(operator.length);
            return { kind: "operator", text: operator, line };
        }
        this.trouble = undefined;
        const text = this.readWord();
        const trouble = this.trouble as string | undefined;
        return { kind: "word", text, line, ...(trouble === undefined ? {} : { trouble }) };
    }

    private skipBlank(): void {
        for (;;) {
            const [blank = ""] = /^(?:[ \t]|\\\n)*(?:#[^\n]*)?/.exec(this.script.slice(this.at)) ?? [];
            if (blank === "") {
                return;
            }
            this.take(blank.length);
        }
    }

    private take(length: number): string {
        const taken = this.script.slice(this.at, this.at + length);
        this.at += length;
        this.line += taken.split("\n").length - 1;
        return taken;
    }

    private readWord(): string {
        let text = "";
        for (;;) {
            const char = this.script[this.at];
            if (char === undefined || /[\s;&|()<>]/.test(char)) {
                return text;
            }
            this.take(1);
            if (char === "'") {
                text += this.until("'");
            } else if (char === '"') {
                text += this.readDouble();
            } else if (char === "\\") {
                const next = this.take(1);
                text += next === "\n" ? "" : next;
            } else if (char === "$" && this.script[this.at] === "'") {
                this.trouble = "$'...' is more than a POSIX shell has";
            } else if (char === "$") {
                text += this.readDollar();
            } else if (char === "`") {
                text += this.skipCommand("`");
            } else {
                if (/[*?[]/.test(char)) {
                    this.trouble = `${char} may be a pattern for file names. Quote it if it is not`;
                }
                text += char;
            }
        }
    }

    private until(end: string): string {
        const close = this.script.indexOf(end, this.at);
        const length = close < 0 ? this.script.length - this.at : close - this.at;
        const text = this.take(length);
        if (close < 0) {
            this.trouble = `the closing ${end} is missing`;
        } else {
            this.take(end.length);
        }
        return text;
    }

    private readDouble(): string {
        let text = "";
        for (;;) {
            const char = this.take(1);
            if (char === "") {
                this.trouble = 'the closing " is missing';
                return text;
            }
            if (char === '"') {
                return text;
            }
            if (char === "\\" && /["$`\\\n]/.test(this.script[this.at] ?? "")) {
                const next = this.take(1);
                text += next === "\n" ? "" : next;
            } else if (char === "$") {
                text += this.readDollar();
            } else if (char === "`") {
                text += this.skipCommand("`");
            } else {
                text += char;
            }
        }
    }

    private readDollar(): string {
        const rest = this.script.slice(this.at);
        const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(rest)?.[0];
        if (name !== undefined) {
            this.take(name.length);
            return this.readVariable(name, undefined);
        }
        const braces = /^\{([A-Za-z_][A-Za-z0-9_]*)(?::?-([^}$`"'\\]*)|:?\?[^}$`]*)?\}/.exec(rest);
        if (braces) {
            this.take(braces[0].length);
            return this.readVariable(braces[1] ?? "", braces[2]);
        }
        if (rest.startsWith("(")) {
            this.take(1);
            return this.skipCommand(")");
        }
        if (rest.startsWith("{")) {
            this.trouble = "${...} changes a variable, which only a shell can do. Write the value out";
            return this.until("}");
        }
        const special = /^[0-9@*#?$!-]/.exec(rest)?.[0];
        if (special !== undefined) {
            this.take(1);
            this.trouble = `$${special} is known only while the script runs. Write the value out, or a variable with a name`;
            return "";
        }
        return "$";
    }

    /** A command whose output would be here. It is passed over, with the commands in it. */
    private skipCommand(end: ")" | "`"): string {
        this.trouble = "it holds the output of a command. Put it into a variable first, which becomes a setting";
        for (let depth = 1; depth > 0 && this.at < this.script.length;) {
            const char = this.take(1);
            if (char === "\\") {
                this.take(1);
            } else if (char === "'" && end === ")") {
                this.until("'");
            } else if (char === end) {
                depth--;
            } else if (char === "(" && end === ")") {
                depth++;
            }
        }
        return "";
    }
}
