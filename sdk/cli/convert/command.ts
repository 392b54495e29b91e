import { existsSync, readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { parseArgs } from "node:util";

import { UsageError, type Command, type CommandContext } from "../command";
import { printBake } from "./bakePrint";
import { readBake } from "./bake";
import type { Build, Refusal } from "./build";
import { convertBuilds, type ConvertOptions } from "./convert";
import { helpText } from "./help";
import { countCommandWords, parseBuildCommand } from "./parse";
import { readScript } from "./script";
import { writeTypeScript } from "./writeTypeScript";
import { writeYaml } from "./writeYaml";

const languages = { typescript: writeTypeScript, yaml: writeYaml };

/** `pulumi-multiarch convert`: a build command or a bake file becomes a program. */
export const convertCommand: Command = {
    summary: "turns a docker buildx build command, a script or a bake file into a program",
    help: helpText,
    async run(args, context) {
        const options = readOptions(args);
        const out = options.out === undefined ? undefined : path.resolve(context.folder, options.out);
        if (out !== undefined && existsSync(out) && !options.force) {
            throw new UsageError(`${options.out ?? ""} exists already. Give --force to replace it`);
        }
        const found = await findBuilds(options, context);
        const folders = { from: context.folder, to: out === undefined ? context.folder : path.dirname(out) };
        const refusals: Refusal[] = [...found.refusals];
        const converted = convertBuilds(found.builds, { ...found, folders });
        refusals.push(...converted.refusals);
        if (refusals.length > 0) {
            reportRefusals(refusals, context);
            return 1;
        }
        const text = languages[options.language](converted.program);
        if (out === undefined) {
            context.write(text);
        } else {
            writeFileSync(out, text, { flag: options.force ? "w" : "wx" });
            context.say(`Wrote ${options.out ?? ""}.`);
        }
        sayNextSteps(converted.program.settings, options.language, context);
        return 0;
    },
};

interface Options {
    readonly language: keyof typeof languages;
    readonly out?: string;
    readonly force: boolean;
    readonly script?: string;
    readonly bake: { readonly files: readonly string[]; readonly args: readonly string[] } | undefined;
    /** The build command, when it was given as words. */
    readonly words: readonly string[];
}

function readOptions(args: readonly string[]): Options {
    // Options of buildx are no options of ours: everything from the build command on is left as it is.
    const start = args.findIndex((word, index) => word === "--" || countCommandWords(args.slice(index)) > 0);
    const own = start < 0 ? args : args.slice(0, start);
    const words = start < 0 ? [] : args.slice(args[start] === "--" ? start + 1 : start);
    const { values } = parse(own);
    const { language = "typescript", out, force = false, file, bake = [], target = [], set = [] } = values;
    if (!Object.hasOwn(languages, language)) {
        throw new UsageError(`--language is one of ${Object.keys(languages).join(", ")}`);
    }
    const isBake = bake.length > 0;
    if ([words.length > 0, file !== undefined, isBake].filter(Boolean).length > 1) {
        throw new UsageError("a command behind --, --file and --bake exclude each other");
    }
    const variables = values.var ?? [];
    if (!isBake && target.length + set.length + variables.length > 0) {
        throw new UsageError("--target, --set and --var are for --bake");
    }
    const flags = [...set.map((value) => ["--set", value]), ...variables.map((value) => ["--var", value])].flat();
    return {
        language: language as keyof typeof languages,
        force,
        words,
        bake: isBake ? { files: bake, args: [...flags, ...target] } : undefined,
        ...(out === undefined ? {} : { out }),
        ...(file === undefined ? {} : { script: file }),
    };
}

function parse(args: readonly string[]) {
    try {
        return parseArgs({
            args: [...args],
            options: {
                language: { type: "string", short: "l" },
                out: { type: "string", short: "o" },
                force: { type: "boolean" },
                file: { type: "string", short: "f" },
                bake: { type: "string", multiple: true },
                target: { type: "string", multiple: true },
                set: { type: "string", multiple: true },
                var: { type: "string", multiple: true },
            },
        });
    } catch (error) {
        throw new UsageError(error instanceof Error ? error.message : String(error));
    }
}

type Found = Omit<ConvertOptions, "folders"> & {
    readonly builds: readonly Build[];
    readonly refusals: readonly Refusal[];
};

async function findBuilds({ words, script, bake }: Options, context: CommandContext): Promise<Found> {
    if (bake !== undefined) {
        const builds = readBake(await printBake(bake, context));
        const notes = ["The variables of the bake file have the values they had when it was converted."];
        return { builds, refusals: [], notes };
    }
    if (words.length > 0) {
        if (countCommandWords(words) === 0) {
            const isBake = words.includes("bake");
            const hint = isBake
                ? "For a bake file: convert --bake docker-bake.hcl --target app"
                : "It starts with docker buildx build";
            throw new UsageError(`what stands behind -- is no build. ${hint}`);
        }
        const { build, refusals } = parseBuildCommand(words, { env: {} });
        return { builds: build === undefined ? [] : [build], refusals };
    }
    const text = script === undefined ? await context.readInput() : readScriptFile(script, context);
    const found = readScript(text);
    if (found.builds.length === 0 && found.refusals.length === 0) {
        throw new UsageError(`${script ?? "the standard input"} has no docker buildx build in it`);
    }
    return found;
}

function readScriptFile(file: string, { folder }: CommandContext): string {
    try {
        return readFileSync(path.resolve(folder, file), "utf8");
    } catch (error) {
        throw new UsageError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"})`);
    }
}

function reportRefusals(refusals: readonly Refusal[], { say }: CommandContext): void {
    const unique = new Map(refusals.map((refusal) => [`${refusal.what} ${refusal.reason}`, refusal]));
    const count = unique.size === 1 ? "One thing" : `${unique.size} things`;
    say(`${count} cannot be carried over, and nothing was written:`);
    for (const { what, reason } of unique.values()) {
        say(`  ${what}: ${reason}.`);
    }
    say("What becomes of each option: docs/buildx-options.md");
}

function sayNextSteps(
    settings: readonly { name: string; secret?: boolean; default?: string }[],
    language: keyof typeof languages,
    { say }: CommandContext,
): void {
    const missing = settings.filter((setting) => setting.default === undefined);
    if (missing.length > 0) {
        say("Set what the program reads:");
        missing.forEach(({ name, secret = false }) => say(`  pulumi config set ${secret ? "--secret " : ""}${name}`));
    }
    if (language === "typescript") {
        say("Pulumi.yaml has to name the plugin, see README.md: plugins.providers, multiarch.");
    }
}
