/** What a command has of the process it runs in, so that it can be run without one. */
export interface CommandContext {
    /** The folder it runs in. */
    readonly folder: string;
    readonly env: Readonly<Record<string, string | undefined>>;
    /** All of the standard input. */
    readonly readInput: () => Promise<string>;
    /** Writes to the standard output, as it is. */
    readonly write: (text: string) => void;
    /** Writes a line to the standard error. */
    readonly say: (line: string) => void;
}

/** One command of `npx pulumi-multiarch`. */
export interface Command {
    /** What it does, in one line without a full stop. */
    readonly summary: string;
    /** All that `--help` prints. */
    readonly help: string;
    /**
     * Runs it and gives the exit status: 0 when it did what it was asked for, 1 when it could not. Throws a UsageError
     * for arguments it cannot understand.
     */
    run(args: readonly string[], context: CommandContext): Promise<number>;
}

/** Arguments that a command cannot understand: exit status 2, and a pointer to `--help`. */
export class UsageError extends Error {}
