import { hasUnknown, unknownValue, type Properties } from "./values";

/** The inputs that each output follows from. */
export type Sources = Readonly<Record<string, readonly string[]>>;

/**
 * What is known of the outputs in a preview: each that follows from inputs that are known. `describe` gets no unknown
 * value: inputs that are not known have the value of `placeholders` there, and what follows from them is not looked at.
 */
export function describeKnown(
    sources: Sources,
    inputs: Properties,
    placeholders: Properties,
    describe: (inputs: Properties) => Properties,
): Properties {
    const unknown = Object.keys(inputs).filter((name) => hasUnknown(inputs[name]));
    const filled = { ...inputs, ...Object.fromEntries(unknown.map((name) => [name, placeholders[name]])) };
    const outputs = describe(filled);
    return Object.fromEntries(
        Object.entries(sources).map(([output, names]) => {
            return [output, names.some((name) => unknown.includes(name)) ? unknownValue : outputs[output]];
        }),
    );
}
