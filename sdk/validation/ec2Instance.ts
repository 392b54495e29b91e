import type { InputProblem } from "../resources/lifecycle";
import { isObject, unknownValue } from "../resources/values";

/** What names an EC2 instance, as far as it can be told without EC2. */
export function checkEc2(path: string, given: unknown): InputProblem[] {
    if (!isObject(given)) {
        return [];
    }
    const { instanceId, region, port, idleMinutes, hourlyUsd } = given;
    const isPort = typeof port !== "number" || (port >= 1 && port <= 65_535);
    return [
        ...checkText(
            `${path}.instanceId`,
            instanceId,
            /^i-[0-9a-f]{8,17}$/,
            "is not the id of an instance, such as i-0123456789abcdef0",
        ),
        ...checkRegion(`${path}.region`, region),
        ...(isPort ? [] : [{ property: `${path}.port`, reason: "must be from 1 to 65535" }]),
        ...checkNotNegative(`${path}.idleMinutes`, idleMinutes),
        ...checkNotNegative(`${path}.hourlyUsd`, hourlyUsd),
    ];
}

/** A number of which zero is the least. */
export function checkNotNegative(property: string, value: unknown): InputProblem[] {
    return typeof value === "number" && !(value >= 0) ? [{ property, reason: "must not be negative" }] : [];
}

/** A region of AWS. */
export function checkRegion(property: string, region: unknown): InputProblem[] {
    return checkText(property, region, /^[a-z]{2,}(-[a-z]+)+-\d+$/, "is not a region, such as eu-central-1");
}

/** A text of a certain form, where it is known. */
export function checkText(property: string, value: unknown, pattern: RegExp, reason: string): InputProblem[] {
    return typeof value !== "string" || value === unknownValue || pattern.test(value) ? [] : [{ property, reason }];
}
