import { flagValues, parseInstruction, type Instruction } from "./instructions";
import { expandWord } from "./shellWord";

/** One stage of a Dockerfile as it is written. */
export interface Stage {
    /** What follows `FROM`: the name of a stage or an image. */
    readonly base: string;
    /** The name behind `AS`, in lower case. Empty when there is none. */
    readonly name: string;
    /** The value of `--platform`. Empty when there is none. */
    readonly platform: string;
    readonly commands: readonly Instruction[];
    readonly line: string;
    /** Why the `FROM` line cannot be read. */
    readonly problem?: string | undefined;
}

/** Sorts instructions into the `ARG` lines before the first stage, and the stages. */
export function readStages(instructions: readonly Instruction[]): { args: Instruction[]; stages: Stage[] } {
    const args: Instruction[] = [];
    const stages: (Stage & { commands: Instruction[] })[] = [];
    for (const instruction of instructions) {
        if (instruction.keyword === "from") {
            stages.push(readFrom(instruction));
        } else if (stages.length > 0) {
            stages.at(-1)?.commands.push(instruction);
        } else if (instruction.keyword === "arg") {
            args.push(instruction);
        }
    }
    return { args, stages };
}

function readFrom(instruction: Instruction): Stage & { commands: Instruction[] } {
    const words = instruction.rest.split(/[\t\v\f\r ]+/);
    const [base = "", as = "", name = ""] = words;
    const hasName = words.length === 3 && as.toLowerCase() === "as";
    return {
        base,
        name: hasName ? name.toLowerCase() : "",
        platform: flagValues(instruction, "platform").at(-1) ?? "",
        commands: [],
        line: instruction.line,
        ...(words.length === 1 || hasName ? {} : { problem: "FROM has one image, and AS with a name" }),
    };
}

/** What a command copies or mounts from. */
export interface CommandSource {
    /** The name of a stage or an image, or the number of a stage. */
    readonly from: string;
    /** True where a number is the place of a stage. */
    readonly mayBeNumber: boolean;
    /** How it is written. */
    readonly text: string;
    /** Why it cannot be read. */
    readonly problem?: string | undefined;
}

const noVariables = "no variable is replaced here: give the image a name with FROM and AS";

/**
 * Where a command gets files from, beside the context. A mount without `from` counts as one from `scratch`, as it does
 * when BuildKit numbers what it finds. See `toCommand` and `detectRunMount` in
 * https://github.com/moby/buildkit/tree/v0.31.1/frontend/dockerfile/dockerfile2llb
 */
export function readSources(command: Instruction, escape: string): CommandSource[] {
    if (command.keyword === "copy") {
        const from = flagValues(command, "from").at(-1) ?? "";
        const problem = isPlain(from, escape) ? undefined : noVariables;
        return from === "" ? [] : [{ from, mayBeNumber: true, text: `COPY --from=${from}`, problem }];
    }
    if (command.keyword === "run") {
        return flagValues(command, "mount").map((mount) => {
            const from = readMountSource(mount);
            const problem = /\$./s.test(from) ? noVariables : undefined;
            return { from, mayBeNumber: false, text: `RUN --mount=from=${from}`, problem };
        });
    }
    return [];
}

/** What a stage runs in the stages that start from it. */
export function readTriggers(commands: readonly Instruction[]): Instruction[] {
    // Read by itself, a trigger knows no directives.
    return commands.filter(({ keyword }) => keyword === "onbuild").map(({ rest }) => parseInstruction(rest, "\\"));
}

function isPlain(from: string, escape: string): boolean {
    try {
        return expandWord(from, () => undefined, { escape }) === from;
    } catch {
        return false;
    }
}

/** A mount is one record of CSV. */
function readMountSource(mount: string): string {
    const fields = Array.from(mount.matchAll(/"((?:[^"]|"")*)"|[^,]+/g), ([field, quoted]) => {
        return quoted === undefined ? field : quoted.replaceAll('""', '"');
    });
    const from = fields.map((field) => /^from=([^]*)$/i.exec(field)?.[1]).findLast((value) => value !== undefined);
    return from === undefined || from === "" ? "scratch" : from;
}
