import * as pulumi from "@pulumi/pulumi";

import type { MultiArchImageArgs } from "../args";
import { errorCodes } from "../errors";
import type { InputProblem } from "../resources/lifecycle";
import { hasUnknown, isObject, unknownValue, type Properties } from "../resources/values";
import { findComponentProblems } from "./component";

const imageType = "multiarch:index:MultiArchImage";

/** Throws everything that is wrong with the inputs that are known while the program runs. */
export function assertKnownInputs(name: string, args: MultiArchImageArgs): void {
    const known = maskOutputs(args) as Properties;
    // A limit of docker-build is an option of its resource, and options are plain.
    const plain = ["platforms", "engine", ...(known["engine"] === "docker-build" ? ["timeoutSeconds"] : [])];
    const unknown = [
        ...plain.flatMap((name) => checkKnown(known, name)),
        ...checkExportsKnown(known["exports"]),
        ...checkFleetKnown(known["builders"]),
    ];
    throwProblems(imageType, name, [...unknown, ...findComponentProblems(known)]);
}

/**
 * Hands the inputs on once all of them are known and right. Whatever is built from the answer waits for that: inputs
 * that come from other resources are checked before anything is built, too.
 */
export function assertInputs<Result>(
    name: string,
    args: MultiArchImageArgs,
    select: (inputs: pulumi.Unwrap<MultiArchImageArgs>) => Result,
): pulumi.Output<Result> {
    const isLate = maskOutputs(args.builders) === unknownValue;
    return pulumi.output(args).apply((inputs) => {
        const late = isLate && inputs.builders.ec2 !== undefined ? checkFleetKnown({ ec2: unknownValue }) : [];
        throwProblems(imageType, name, [...late, ...findComponentProblems(inputs)]);
        return select(inputs);
    });
}

/** The error for wrong inputs: every problem at once, by property, and no stack of ours in the way. */
export function createInputsError(
    type: string,
    name: string,
    problems: readonly InputProblem[],
): pulumi.InputPropertiesError {
    const lines = problems.map(({ property, reason }) => `\n  ${property}: ${reason}`);
    const message =
        `${type} ${name} has wrong inputs [input-invalid]${lines.join("")}` +
        `\n  next: ${errorCodes["input-invalid"]}`;
    const error = new pulumi.InputPropertiesError({
        message,
        errors: problems.map(({ property, reason }) => ({ propertyPath: property, reason })),
    });
    // The runtime prints an error marked like this without the source lines and the stack around it.
    Object.defineProperty(error, "__pulumiRunError", { value: true });
    // On its way out of an output, the runtime writes the inputs of our own children before the text, which names the
    // properties that the user knows.
    Object.defineProperty(error, "message", { get: () => message, set: () => undefined });
    return error;
}

/** Throws when there is anything wrong. */
export function throwProblems(type: string, name: string, problems: readonly InputProblem[]): void {
    if (problems.length > 0) {
        throw createInputsError(type, name, problems);
    }
}

/** What decides which resources there are: they have to be declared before anything is known of others. */
function checkKnown(inputs: Properties, property: string): InputProblem[] {
    const plain = property === "platforms" ? "a plain list" : "a plain value";
    const reason = `must be known while the program runs: give ${plain}, not an output of another resource`;
    return hasUnknown(inputs[property]) ? [{ property, reason }] : [];
}

/** Each export is a resource of its own, too. What is in it may come from another resource. */
function checkExportsKnown(exports: unknown): InputProblem[] {
    const items = Array.isArray(exports) ? (exports as unknown[]) : [exports];
    const isUnknown = items.includes(unknownValue);
    const reason = "must be a plain list while the program runs. The paths and names in it may be outputs";
    return isUnknown ? [{ property: "exports", reason }] : [];
}

/** A fleet has children, too. */
function checkFleetKnown(builders: unknown): InputProblem[] {
    const reason = "must be a plain object while the program runs. What is in it may be outputs";
    return isObject(builders) && builders["ec2"] === unknownValue ? [{ property: "builders.ec2", reason }] : [];
}

/** What comes from another resource is not known yet; it counts as right until it is. */
export function maskOutputs(value: unknown): unknown {
    if (pulumi.Output.isInstance(value) || value instanceof Promise) {
        return unknownValue;
    }
    if (Array.isArray(value)) {
        return value.map(maskOutputs);
    }
    return isObject(value)
        ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, maskOutputs(item)]))
        : value;
}
