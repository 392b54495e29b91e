import type { InputProblem } from "../resources/lifecycle";
import { joinKey } from "../resources/propertyPath";
import { isObject, unknownValue } from "../resources/values";

/** What the settings of a container on a Docker daemon must be, as far as it can be told without the daemon. */
export function checkDocker(path: string, given: unknown): InputProblem[] {
    if (!isObject(given)) {
        return [];
    }
    const { context, host, image, network, config, options, name } = given;
    return [
        ...(context !== undefined && host !== undefined
            ? [{ property: path, reason: "has context and host. Keep one of them" }]
            : []),
        ...checkText(`${path}.context`, context, /^[a-zA-Z0-9][a-zA-Z0-9_.+-]*$/, "is not the name of a context"),
        ...checkText(`${path}.host`, host, hosts, `must be unix:///path or ssh://user@host. ${contextHint}`),
        ...checkText(`${path}.image`, image, /^[^\s,=-][^\s,=]*$/, "is not the name of an image"),
        ...checkText(`${path}.network`, network, /^[^\s,=]+$/, "is not the name of a network"),
        ...checkText(`${path}.name`, name, /^[a-zA-Z][a-zA-Z0-9_.-]*$/, nameHint),
        ...checkConfig(`${path}.config`, config),
        ...checkOptions(`${path}.options`, options),
    ];
}

const hosts = /^(unix:\/\/\/|ssh:\/\/[^-\s])\S*$/;
const contextHint = "For a daemon on TCP make a context that holds its certificates, and name it in context";
const nameHint = "must begin with a letter, and hold only letters, digits, dots, - and _";

function checkText(property: string, value: unknown, pattern: RegExp, reason: string): InputProblem[] {
    return typeof value !== "string" || value === unknownValue || pattern.test(value) ? [] : [{ property, reason }];
}

function checkConfig(path: string, config: unknown): InputProblem[] {
    if (!isObject(config) || Object.values(config).includes(unknownValue)) {
        return [];
    }
    const given = ["location", "inline"].filter((name) => config[name] !== undefined);
    return given.length === 1 ? [] : [{ property: path, reason: "must have exactly one of location and inline" }];
}

/** What has an input of its own would be written twice. */
function checkOptions(path: string, options: unknown): InputProblem[] {
    return Object.keys(isObject(options) ? options : {}).flatMap((name) => {
        const property = joinKey(path, name);
        if (name === "image" || name === "network") {
            return [{ property, reason: `is an input of its own: write ${name} beside options` }];
        }
        return /^[a-z][a-z-]*(\.\S+)?$/.test(name) ? [] : [{ property, reason: "is not the name of an option" }];
    });
}
