import type { ErrorCode } from "../errors";
import type { RegistryClientOptions } from "../registry/client";
import type { Properties } from "./values";

/** Something wrong with an input, at the place where the user wrote it. */
export interface InputProblem {
    /** The path of the property, for example `registries[0].address`. */
    readonly property: string;
    /** What is wrong and what would be right. */
    readonly reason: string;
    /** Defaults to `input-invalid`. */
    readonly code?: ErrorCode | undefined;
    /** The next step, where that of the code does not fit. */
    readonly next?: string | undefined;
}

/** How one input changed. */
export type PropertyChange = "add" | "delete" | "update" | "add-replace" | "delete-replace" | "update-replace";

/** What the engine is to do about a resource. */
export interface DiffAnswer {
    /** True when there is anything to do. */
    readonly changed: boolean;
    /** The changes, by property path. They are what `preview --diff` shows. */
    readonly changes: Readonly<Record<string, PropertyChange>>;
    /** The inputs that can only change by a new resource. */
    readonly replaces: readonly string[];
    /** The outputs that keep their values, whatever happens. */
    readonly stable?: readonly string[];
}

/** Where a running operation tells the user how it goes. Lines appear on the row of the resource. */
export interface Reporter {
    /** What it is doing now. Replaces the last such line. */
    status(text: string): void;
    /** Worth keeping in the log of the operation. */
    info(text: string): void;
    /** Something the user should know of, though it went on. */
    warn(text: string): void;
}

/** What every operation knows. */
export interface OperationContext {
    readonly urn: string;
    readonly reporter: Reporter;
    /** Aborted when the user or the engine cancels. */
    readonly signal: AbortSignal;
    /** Texts that must not be printed. */
    readonly secrets: readonly string[];
    /** Milliseconds the program allows for the operation, when it says so (`customTimeouts`). */
    readonly timeoutMs?: number | undefined;
    /** How patiently registries are asked. By default as a client does by itself; tests have less time. */
    readonly patience?: Pick<RegistryClientOptions, "timeouts" | "retry"> | undefined;
}

/** An operation that gives a resource. */
export interface ResourceState {
    readonly id: string;
    /** The inputs, where they are not known already: only an import gives them. */
    readonly inputs?: Properties;
    readonly outputs: Properties;
}

/**
 * One kind of custom resource. Inputs and outputs come as clear JSON; what was secret is listed in the context.
 * Unknown values are `unknownValue`, and only in `check`, `diff` and the previews.
 */
export interface ResourceLifecycle {
    /** Paths of inputs that are secrets whatever the program says; `*` stands for each item or key. */
    readonly secretInputs: readonly string[];
    /** Outputs that are secrets whatever the program says. Defaults to none. */
    readonly secretOutputs?: readonly string[];
    /** By input the outputs that show it: where the program marks the input as a secret, they are secrets too. */
    readonly outputsOf?: Readonly<Record<string, readonly string[]>>;
    /** Says what is wrong with the inputs, all of it, and may add inputs that follow from them. */
    check(
        inputs: Properties,
        old: Properties | undefined,
        context: OperationContext,
    ): Promise<{ problems: InputProblem[]; added: Properties }>;
    diff(
        old: { inputs: Properties; outputs: Properties },
        inputs: Properties,
        context: OperationContext,
    ): DiffAnswer | Promise<DiffAnswer>;
    /** What `create` would give, as far as it is known. */
    previewCreate(inputs: Properties): Properties;
    create(inputs: Properties, context: OperationContext): Promise<ResourceState>;
    /** The state as the registry has it; undefined when it is gone. */
    read(
        id: string,
        state: { inputs: Properties; outputs: Properties },
        context: OperationContext,
    ): Promise<ResourceState | undefined>;
    /** What `update` would give, as far as it is known. */
    previewUpdate(old: { inputs: Properties; outputs: Properties }, inputs: Properties): Properties;
    update(
        old: { inputs: Properties; outputs: Properties },
        inputs: Properties,
        context: OperationContext,
    ): Promise<Properties>;
    delete(state: { inputs: Properties; outputs: Properties }, context: OperationContext): Promise<void>;
}
