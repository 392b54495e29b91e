import type { InputProblem } from "../resources/lifecycle";
import { unknownValue, withoutNulls, type Properties } from "../resources/values";
import { checkBuilders } from "./builders";
import { checkBuild } from "./build";
import { checkEngine } from "./engine";
import { checkExports, explainExports } from "./exports";
import { checkOverrides } from "./overrides";
import { checkPlatformList } from "./platforms";
import { checkSign } from "./signing";
import { checkAdditionalRepositories, checkTags, checkTarget } from "./target";
import { findTypeProblems } from "./types";

/**
 * Everything that is wrong with the inputs of a `MultiArchImage`, by property, as far as they are known. Nothing is
 * asked of builders or registries.
 */
export function findComponentProblems(inputs: Properties): InputProblem[] {
    const problems = collectProblems("multiarch:index:MultiArchImage", inputs, [
        checkPlatformList,
        checkTarget,
        checkTags,
        checkAdditionalRepositories,
        checkBuild,
        checkSign,
        checkBuilders,
        checkOverrides,
        checkExports,
        checkEngine,
    ]);
    return explainExports(problems);
}

/** A check of some inputs. It meets only inputs whose types are right; all others are missing. */
export type Check = (inputs: Properties) => InputProblem[];

/**
 * Checks the types first, and then only what has the right type: a wrong type is one problem, and not many. What is not
 * known yet is missing as well, but for `kept`.
 */
export function collectProblems(
    type: string,
    given: Properties,
    checks: readonly Check[],
    kept: readonly string[] = [],
): InputProblem[] {
    const inputs = withoutNulls(given) as Properties;
    const wrongTypes = findTypeProblems(type, inputs);
    const wrong = new Set(wrongTypes.map(({ property }) => /^[^.[]*/.exec(property)?.[0]));
    const sound = Object.fromEntries(
        Object.entries(inputs).filter(([name, value]) => {
            return !wrong.has(name) && (value !== unknownValue || kept.includes(name)) && value !== null;
        }),
    );
    return [...wrongTypes, ...checks.flatMap((check) => check(sound))];
}
