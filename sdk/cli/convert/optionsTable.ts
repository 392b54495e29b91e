import { buildFlags, type BuildFlag } from "./flags";

/** The tables of docs/buildx-options.md, from the same place as the conversion itself. */
export function writeOptionsTable(): string {
    const shown = buildFlags.filter(({ hidden }) => hidden !== true);
    const hidden = buildFlags.filter((flag) => flag.hidden === true);
    return `# What becomes of each option of docker buildx build

Written by \`node tools/options.mjs\` from the table that \`npx pulumi-multiarch convert\` works with
([\`sdk/cli/convert/flags.ts\`](../sdk/cli/convert/flags.ts)). A test compares that table with \`docker buildx build --help\`.
An option that is refused is named by the command with its reason, and nothing is written.

${table(shown)}

Options that \`--help\` does not show, and that buildx still takes:

${table(hidden)}

The context, the last word of the command, becomes \`context.location\`. In a bake file, \`contexts\` that name another target
(\`target:base\`) are refused: make it a stage of the same Dockerfile, or name the image it pushes.
`;
}

function table(flags: readonly BuildFlag[]): string {
    const rows = flags.map((flag) => [
        `\`--${flag.name}\``,
        flag.bake === undefined ? "" : `\`${flag.bake}\``,
        becomes(flag),
    ]);
    const all = [["option", "in a bake file", "becomes"], ...rows];
    const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
    const [head = "", ...body] = all.map((row) => {
        return `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
    });
    return [head, `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...body].join("\n");
}

function becomes({ outcome }: BuildFlag): string {
    if ("input" in outcome) {
        const inputs = outcome.input.split(", ").map((input) => `\`${input}\``);
        return inputs.join(", ") + (outcome.note === undefined ? "" : `: ${outcome.note}`);
    }
    return "refused" in outcome ? `refused: ${outcome.refused}` : `left out: ${outcome.dropped.replace(/\.$/, "")}`;
}
