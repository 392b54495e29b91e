import type { Build, Refusal } from "./build";
import { countCommandWords, parseBuildCommand } from "./parse";
import type { Setting } from "./program";
import { reference } from "./references";
import { looksSecret, settingName } from "./names";
import { readTokens, type Token } from "./shellLexer";

/** What was found in a script. */
export interface ScriptBuilds {
    readonly builds: readonly Build[];
    readonly refusals: readonly Refusal[];
    /** The variables of the script that builds may use. */
    readonly settings: readonly Setting[];
    /** What else the script does that has to do with images, for a comment. */
    readonly notes: readonly string[];
}

type Word = Extract<Token, { kind: "word" }>;

// Words before a command that change nothing about what it is.
const prefixes = new Set(["if", "then", "else", "elif", "do", "!", "{", "time", "exec", "sudo", "command", "env"]);
const loops = new Set(["for", "while", "until", "select", "case"]);
const loopEnds = new Set(["done", "esac"]);

/** Finds the builds of a script, or of a single command with its quotes and continued lines. */
export function readScript(script: string): ScriptBuilds {
    const state = new ScriptState();
    let words: Word[] = [];
    let redirected = "";
    for (const token of readTokens(script, (name, byDefault) => state.readVariable(name, byDefault))) {
        if (token.kind === "word") {
            // The word behind < or > is a file and no argument.
            words = redirected === "" ? [...words, token] : words;
            redirected = "";
        } else if (/[<>]/.test(token.text)) {
            words = /^\d$/.test(words.at(-1)?.text ?? "") ? words.slice(0, -1) : words;
            redirected = token.text;
        } else {
            state.endCommand(words);
            words = [];
        }
    }
    state.endCommand(words);
    return state.finish();
}

class ScriptState {
    private readonly found: { words: Word[]; env: Record<string, string>; isLooped: boolean }[] = [];
    private readonly constants = new Map<string, string>();
    private readonly changing = new Set<string>();
    private readonly settings = new Map<string, Setting>();
    private readonly others = new Set<string>();
    private readonly refusals: Refusal[] = [];
    private loopDepth = 0;

    readVariable(name: string, byDefault: string | undefined): string {
        const known = this.constants.get(name);
        if (known !== undefined) {
            return known;
        }
        const setting = settingName(name);
        const comment = `The variable ${name} of the script`;
        const before = this.settings.get(setting);
        const value = byDefault === undefined || byDefault === "" ? before?.default : byDefault;
        this.settings.set(setting, {
            name: setting,
            comment: before?.comment ?? comment,
            ...(looksSecret(name) ? { secret: true } : value === undefined ? {} : { default: value }),
        });
        return reference(setting);
    }

    endCommand(all: readonly Word[]): void {
        let words = [...all];
        const env: Record<string, string> = {};
        for (let first = words[0]; first !== undefined; first = words[0]) {
            const [, name, value = ""] = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(first.text) ?? [];
            if (loops.has(first.text)) {
                this.loopDepth++;
                return;
            }
            if (loopEnds.has(first.text)) {
                this.loopDepth = Math.max(0, this.loopDepth - 1);
            } else if (name !== undefined) {
                env[name] = this.assign(name, value, first, words.length === 1);
            } else if (!prefixes.has(first.text)) {
                break;
            }
            words = words.slice(1);
        }
        const texts = words.map(({ text }) => text);
        if (["export", "readonly", "local", "declare"].includes(texts[0] ?? "")) {
            words.slice(1).forEach((word) => {
                const [, name, value = ""] = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(word.text) ?? [];
                if (name !== undefined) {
                    this.assign(name, value, word, true);
                }
            });
        } else if (countCommandWords(texts) > 0) {
            this.found.push({ words, env, isLooped: this.loopDepth > 0 });
        } else {
            this.noteOther(words);
        }
    }

    /** A value that is written out is followed through the script; another one becomes a setting. */
    private assign(name: string, value: string, word: Word, isForAll: boolean): string {
        if (!isForAll) {
            return value;
        }
        const isSame = (this.constants.get(name) ?? value) === value && !this.changing.has(name);
        const isWritten = word.trouble === undefined && this.loopDepth === 0 && !looksSecret(name);
        if (isWritten && isSame) {
            this.constants.set(name, value);
            return value;
        }
        this.constants.delete(name);
        this.changing.add(name);
        const setting = settingName(name);
        const from = word.trouble === undefined ? "The script sets" : "The script finds out";
        const secret = looksSecret(name) ? { secret: true } : {};
        this.settings.set(setting, { name: setting, comment: `${from} ${name} itself`, ...secret });
        return value;
    }

    private noteOther(words: readonly Word[]): void {
        const [first = "", second = "", third = ""] = words.map(({ text }) => text);
        if (/(^|\/)(docker|buildx|docker-buildx)$/.test(first)) {
            // Options may hold a password; the names of commands do not.
            const names = [second, third].filter((name) => /^[a-z]+$/.test(name));
            const take = second === "buildx" || second === "manifest" || second === "imagetools" ? 2 : 1;
            this.others.add(["docker", ...names.slice(0, take)].join(" "));
        }
    }

    finish(): ScriptBuilds {
        const isOnly = this.found.length === 1;
        const builds = this.found.flatMap(({ words, env, isLooped }) => {
            const line = words[0]?.line ?? 1;
            const place = isOnly ? "" : `line ${line}`;
            const before = place === "" ? "" : `${place}: `;
            const troubles = words.flatMap(({ trouble, text }) => {
                const what = /^(--?[a-z][a-z-]*)/.exec(text)?.[1] ?? "a word";
                return trouble === undefined ? [] : [{ what: `${before}${what}`, reason: trouble }];
            });
            if (isLooped) {
                const reason = "stands in a loop. Write one command for each round, or one with all platforms";
                troubles.push({ what: `${before}the build`, reason });
            }
            this.refusals.push(...troubles);
            const parsed = parseBuildCommand(
                words.map(({ text }) => text),
                { place, env: { ...this.variables(), ...env } },
            );
            this.refusals.push(...parsed.refusals);
            return parsed.build ?? [];
        });
        const others = [...this.others];
        const notes =
            others.length === 0
                ? []
                : [`The script runs ${others.join(", ")} too. Builders, accounts and tags are inputs here.`];
        return { builds, refusals: this.refusals, settings: [...this.settings.values()], notes };
    }

    /** What the script sets for all commands and buildx looks at. */
    private variables(): Record<string, string> {
        const names = ["SOURCE_DATE_EPOCH", "BUILDX_NO_DEFAULT_ATTESTATIONS", "BUILDX_BUILDER"];
        return Object.fromEntries([...this.constants].filter(([name]) => names.includes(name)));
    }
}
