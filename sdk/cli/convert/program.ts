/** A value in a program that is written. Texts may hold references, see `references.ts`. */
export type Value = string | number | boolean | readonly Value[] | { readonly [name: string]: Value };

/** Something the program reads from the configuration of its stack. */
export interface Setting {
    /** Its key, and the name of the variable that holds it. */
    readonly name: string;
    /** True keeps it encrypted: `pulumi config set --secret`. Defaults to false. */
    readonly secret?: boolean;
    readonly type?: "number" | "string";
    /** What it is when it is not set. Defaults to nothing: it has to be set. */
    readonly default?: string;
    /** What has to be known about it, in one sentence. */
    readonly comment?: string;
}

/** A value with a name that several places use. */
export interface Constant {
    readonly name: string;
    readonly value: Value;
    readonly comment?: string;
}

/** One image of the program. */
export interface ProgramImage {
    /** The name of the resource. */
    readonly name: string;
    /** The inputs of the `MultiArchImage`, by name, in the order they are written. */
    readonly args: Readonly<Record<string, Value>>;
    /** What differs from before, or had no counterpart and no effect: sentences for a comment. */
    readonly notes: readonly string[];
}

/** A program before it is written in a language. */
export interface Program {
    /** The name of the project. */
    readonly name: string;
    readonly settings: readonly Setting[];
    readonly constants: readonly Constant[];
    readonly images: readonly ProgramImage[];
    /** Sentences for the top. */
    readonly notes: readonly string[];
}
