import type { InputProblem } from "../resources/lifecycle";
import type { Properties } from "../resources/values";
import { checkAttestations } from "./attestations";
import { checkCache } from "./cache";
import { checkContext } from "./context";
import { checkOptions } from "./options";
import { checkParallelism } from "./builders";

// What a timer of Node.js can wait, 2^31-1 ms. With more it does not wait at all.
const longestTimeoutSeconds = 2_147_483;

/** What is built and how: Dockerfile, cache, limits. */
export function checkBuild(inputs: Properties): InputProblem[] {
    return [
        ...checkContext(inputs),
        ...checkDockerfile(inputs["dockerfile"] as Properties | undefined),
        ...checkSecretNames(inputs["secrets"] as Properties | undefined),
        ...checkCache(inputs),
        ...checkAttestations(inputs),
        ...checkLimits(inputs),
        ...checkOptions(inputs),
    ];
}

function checkDockerfile(dockerfile: Properties | undefined): InputProblem[] {
    if (dockerfile?.["location"] !== undefined && dockerfile["inline"] !== undefined) {
        return [{ property: "dockerfile", reason: "has both location and inline. Keep one of them" }];
    }
    return dockerfile?.["inline"] === ""
        ? [{ property: "dockerfile.inline", reason: "is empty. Leave it out for the file Dockerfile in the context" }]
        : [];
}

function checkSecretNames(secrets: Properties | undefined): InputProblem[] {
    return Object.keys(secrets ?? {})
        .filter((id) => id === "" || /[\s,"]/.test(id))
        .map((id) => ({ property: `secrets["${id}"]`, reason: "has an id with a space, comma or quote in it" }));
}

function checkLimits(inputs: Properties): InputProblem[] {
    const { timeoutSeconds, retries, maxParallelism } = inputs;
    const problems: InputProblem[] = [];
    if (typeof timeoutSeconds === "number" && timeoutSeconds <= 0) {
        problems.push({ property: "timeoutSeconds", reason: "must be more than 0" });
    }
    if (typeof timeoutSeconds === "number" && timeoutSeconds > longestTimeoutSeconds) {
        const reason = `must be at most ${longestTimeoutSeconds}, which is 24 days`;
        problems.push({ property: "timeoutSeconds", reason });
    }
    if (typeof retries === "number" && (retries < 0 || retries > 20)) {
        problems.push({ property: "retries", reason: "must be between 0 and 20" });
    }
    return [...problems, ...checkParallelism("maxParallelism", maxParallelism)];
}
