import * as path from "node:path";

import { hasReference } from "./references";
import type { Setting, Value } from "./program";

/** One build as buildx was told it, by a command or by a target of a bake file. */
export interface Build {
    /** Where it stands, in words: empty for the only command, else for example `line 12` or `target "app"`. */
    readonly place: string;
    /** The name of its target, for a bake file. */
    readonly target?: string;
    /** What was given for each option, by its long name without dashes. A switch has `true` or `false`. */
    readonly options: ReadonlyMap<string, readonly string[]>;
    /** The context. Undefined when none was named. */
    readonly context?: string;
    /** The Dockerfile itself, when a bake file holds it. */
    readonly inline?: string;
    /** Variables of the environment that were set just for it. */
    readonly env: Readonly<Record<string, string>>;
    /** True when paths of a Dockerfile are relative to the context, as in bake files. */
    readonly dockerfileInContext?: boolean;
}

/** Something that cannot be carried over. */
export interface Refusal {
    /** What it is, as the user wrote it, for example `--iidfile`. No value: it may be a secret. */
    readonly what: string;
    /** Why not, and what to do instead. */
    readonly reason: string;
}

/** The image that a build becomes, while it is put together. */
export class Draft {
    readonly args = new Map<string, Value>();
    readonly notes: string[] = [];
    readonly settings = new Map<string, Setting>();
    readonly refusals: Refusal[] = [];

    constructor(
        readonly build: Build,
        /** Where paths of the command are relative to, and where the program will be. */
        private readonly folders: { readonly from: string; readonly to: string },
    ) {}

    /** What was given for an option that may be repeated. */
    all(option: string): readonly string[] {
        return this.build.options.get(option) ?? [];
    }

    /** What was given for an option of which the last one counts. */
    last(option: string): string | undefined {
        return this.all(option).at(-1);
    }

    /** Whether a switch is on. */
    isOn(option: string): boolean {
        return isTrue(this.last(option) ?? "false");
    }

    /** Sets an input of the image. Nothing to set is no input. */
    set(input: string, value: Value | undefined): void {
        const isEmpty = typeof value === "object" && Object.keys(value).length === 0;
        if (value !== undefined && !isEmpty) {
            this.args.set(input, value);
        }
    }

    /** Says that something cannot be carried over. */
    refuse(what: string, reason: string): void {
        const place = this.build.place === "" ? "" : `${this.build.place}: `;
        this.refusals.push({ what: `${place}${what}`, reason });
    }

    /** Says that an option cannot be carried over, by the name it has where it stands. */
    refuseOption(option: string, reason: string, attribute?: string): void {
        const name = this.build.target === undefined ? `--${option}` : option;
        this.refuse(attribute === undefined ? name : `${attribute} of ${name}`, reason);
    }

    note(sentence: string): void {
        if (!this.notes.includes(sentence)) {
            this.notes.push(sentence);
        }
    }

    need(setting: Setting): void {
        const known = this.settings.get(setting.name);
        this.settings.set(setting.name, known === undefined ? setting : { ...known, ...setting });
    }

    /** A path of the command as the program has to write it: relative paths are relative to its folder. */
    path(given: string): string {
        if (hasReference(given) || path.isAbsolute(given) || this.folders.from === this.folders.to) {
            return given;
        }
        const moved = path.relative(this.folders.to, path.resolve(this.folders.from, given));
        return moved === "" ? "." : moved.startsWith("..") ? moved : `./${moved}`;
    }
}

/** Reads a switch as Go's strconv.ParseBool does. */
export function isTrue(text: string): boolean {
    return ["1", "t", "T", "TRUE", "true", "True"].includes(text);
}

/** True for something that buildx takes from elsewhere than a folder. */
export function isRemote(location: string): boolean {
    return /^[a-z][a-z0-9+.-]*:\/\/|^git@|^github\.com\//i.test(location);
}
