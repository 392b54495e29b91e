import type { InputProblem } from "../resources/lifecycle";
import { unknownValue, type Properties } from "../resources/values";
import { collectProblems } from "./component";

const hostPattern = /^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;

/** Everything that is wrong with the inputs of `BuilderCertificates`, by property, as far as they are known. */
export function findBuilderCertificatesProblems(inputs: Properties): InputProblem[] {
    return collectProblems("multiarch:index:BuilderCertificates", inputs, [checkNames, checkLifetimes]);
}

function checkNames(inputs: Properties): InputProblem[] {
    const names = inputs["serverNames"] as string[] | undefined;
    if (names?.length === 0) {
        return [{ property: "serverNames", reason: "names no builder. For example: buildkit.internal" }];
    }
    return (names ?? []).flatMap((name, index) => {
        const property = `serverNames[${index}]`;
        const isHost = name === unknownValue || hostPattern.test(name) || /^[0-9a-f:]*:[0-9a-f:.]*$/i.test(name);
        const reason = `"${name}" is neither a host name nor an address. Leave scheme and port out`;
        return isHost ? [] : [{ property, reason }];
    });
}

function checkLifetimes(inputs: Properties): InputProblem[] {
    const { validityDays = 90, renewBeforeDays = 30, caValidityDays = 1_825 } = inputs;
    const problems: InputProblem[] = [];
    const lifetimes = { validityDays, renewBeforeDays, caValidityDays };
    if (Object.values(lifetimes).includes(unknownValue)) {
        return [];
    }
    for (const [property, days] of Object.entries(lifetimes) as [string, number][]) {
        if (days < 1) {
            problems.push({ property, reason: "must be at least 1" });
        }
    }
    if (Number(renewBeforeDays) >= Number(validityDays)) {
        const reason = `must be less than validityDays, which is ${String(validityDays)}: a certificate would be renewed at every up`;
        problems.push({ property: "renewBeforeDays", reason });
    }
    // Server certificates that last longer are refused by some TLS stacks.
    if (Number(validityDays) > 825) {
        problems.push({ property: "validityDays", reason: "must be at most 825" });
    }
    const least = Number(validityDays) + 2 * Number(renewBeforeDays);
    if (Number(caValidityDays) <= least) {
        const reason = `must be more than ${least}: validityDays and twice renewBeforeDays, so that an authority outlives what it signs`;
        problems.push({ property: "caValidityDays", reason });
    }
    return problems;
}
