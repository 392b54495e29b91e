import type { ResourceLifecycle } from "../resources/lifecycle";
import { hasSecret, protectPaths, reveal, type Properties } from "../resources/values";

/** Marks the outputs that are secrets: those that always are, and those that show an input which the program has marked. */
export function protectOutputs(
    outputs: Properties,
    rawInputs: Properties,
    { secretOutputs = [], outputsOf = {} }: Pick<ResourceLifecycle, "secretOutputs" | "outputsOf">,
): Properties {
    const shown = Object.entries(outputsOf).flatMap(([input, names]) => (hasSecret(rawInputs[input]) ? names : []));
    return protectPaths(outputs, [...new Set([...secretOutputs, ...shown])]);
}

/** An id stands in the state in clear, whatever it is made of: a repository that is a secret is left out. */
export function hideInId(id: string, { repository }: Properties): string {
    const hidden = hasSecret(repository) ? String(reveal(repository)) : "";
    return hidden === "" ? id : id.replaceAll(hidden, "[secret]");
}
