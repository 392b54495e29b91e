import { MultiArchError } from "../errors";
import { packageVersion } from "../package";
import { buildkitdConfigCommand } from "./buildkitdConfig/command";
import { UsageError, type Command, type CommandContext } from "./command";
import { convertCommand } from "./convert/command";
import { doctorCommand } from "./doctor/command";

const commands: Readonly<Record<string, Command>> = {
    convert: convertCommand,
    doctor: doctorCommand,
    "buildkitd-config": buildkitdConfigCommand,
};

/**
 * Runs `pulumi-multiarch <command>` and gives the exit status: 0 for success, 1 when the command could not do its job,
 * 2 when the arguments make no sense.
 */
export async function runCli(args: readonly string[], context: CommandContext): Promise<number> {
    const [first = "", ...rest] = args;
    if (first === "--version" || first === "-v") {
        context.write(`${packageVersion}\n`);
        return 0;
    }
    if (first === "--help" || first === "-h" || first === "help") {
        const named = commands[rest[0] ?? ""];
        context.write(named?.help ?? overview());
        return 0;
    }
    // Only what stands in the table: `toString` is no command.
    const command = Object.hasOwn(commands, first) ? commands[first] : undefined;
    if (command === undefined) {
        context.say(first === "" ? "pulumi-multiarch: no command is given" : `pulumi-multiarch: no command "${first}"`);
        context.say(`There is ${Object.keys(commands).join(", ")}. See: npx pulumi-multiarch --help`);
        return 2;
    }
    if (rest[0] === "--help" || rest[0] === "-h") {
        context.write(command.help);
        return 0;
    }
    try {
        return await command.run(rest, context);
    } catch (error) {
        if (error instanceof UsageError) {
            context.say(`pulumi-multiarch ${first}: ${error.message}`);
            context.say(`See: npx pulumi-multiarch ${first} --help`);
            return 2;
        }
        if (error instanceof MultiArchError) {
            context.say(`pulumi-multiarch ${first}: ${error.message}`);
            return 1;
        }
        throw error;
    }
}

function overview(): string {
    const width = Math.max(...Object.keys(commands).map((name) => name.length));
    const rows = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}   ${summary}`);
    return [
        "Usage: npx pulumi-multiarch <command> [options]",
        "",
        "Commands:",
        ...rows,
        "",
        "Options:",
        "  --help      says this, or all about a command: npx pulumi-multiarch <command> --help",
        "  --version   says the version",
        "",
    ].join("\n");
}
