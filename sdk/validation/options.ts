import type { InputProblem } from "../resources/lifecycle";
import { joinKey } from "../resources/propertyPath";
import { isObject, unknownValue, type Properties } from "../resources/values";

// https://pkg.go.dev/github.com/docker/go-units#Ulimit
const ulimitNames = [
    ...["core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice"],
    ...["nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack"],
];
const highestLevels: Readonly<Record<string, number>> = { gzip: 9, estargz: 9, zstd: 22 };
const sizePattern = /^\d+(\.\d+)?\s?([kmgtp]i?)?b?$/i;

/** How steps run and what they make: whatever buildx would refuse, or read as something else. */
export function checkOptions(inputs: Properties): InputProblem[] {
    return [
        ...checkNames("labels", inputs["labels"]),
        ...checkAnnotations(inputs["annotations"]),
        ...checkNames("resources", inputs["resources"]),
        ...checkAddHosts(inputs["addHosts"] as string[] | undefined),
        ...checkSsh(inputs["ssh"] as Properties[] | undefined),
        ...checkSecretFiles(inputs),
        ...checkUlimits(inputs["ulimits"] as Properties[] | undefined),
        ...checkTexts(inputs),
        ...checkTimes(inputs),
        ...checkCompression(inputs),
    ];
}

/** An image has annotations of its own; a component has them by level. */
function checkAnnotations(annotations: unknown): InputProblem[] {
    const levels = isObject(annotations) && Object.values(annotations).some(isObject);
    return levels
        ? Object.entries(annotations).flatMap(([level, notes]) => checkNames(`annotations.${level}`, notes))
        : checkNames("annotations", annotations);
}

/** Names that go before an equals sign. */
export function checkNames(path: string, values: unknown): InputProblem[] {
    return Object.keys(isObject(values) ? values : {})
        .filter((name) => !/^[^\s=]+$/.test(name))
        .map((name) => ({
            property: joinKey(path, name),
            reason: "has a name with a space or an equals sign, or none",
        }));
}

function checkAddHosts(hosts: readonly string[] = []): InputProblem[] {
    return hosts.flatMap((host, index) => {
        const isHost = host === unknownValue || /^[^\s:=]+[:=]\S+$/.test(host);
        const reason = `"${host}" is not of the form name:address, for example db:10.0.0.7`;
        return isHost ? [] : [{ property: `addHosts[${index}]`, reason }];
    });
}

function checkSsh(list: readonly Properties[] = []): InputProblem[] {
    const ids = list.map((ssh) => (isObject(ssh) ? ssh["id"] : unknownValue));
    return list.flatMap((ssh, index) => {
        const property = `ssh[${index}]`;
        const id = ids[index];
        if (typeof id !== "string" || id === unknownValue) {
            return [];
        }
        const problems: InputProblem[] = [];
        if (!/^[^\s=,]+$/.test(id)) {
            problems.push({
                property: `${property}.id`,
                reason: "is empty, or has a space, comma or equals sign in it",
            });
        }
        if (ids.indexOf(id) < index) {
            problems.push({
                property: `${property}.id`,
                reason: `"${id}" is there already as ssh[${ids.indexOf(id)}]`,
            });
        }
        const paths = Array.isArray(ssh["paths"]) ? (ssh["paths"] as unknown[]) : [];
        paths.forEach((path, position) => {
            if (path === "" || (typeof path === "string" && path.includes(","))) {
                problems.push({ property: `${property}.paths[${position}]`, reason: "is empty, or has a comma in it" });
            }
        });
        return problems;
    });
}

function checkSecretFiles({ secretFiles, secrets }: Properties): InputProblem[] {
    return Object.keys(isObject(secretFiles) ? secretFiles : {}).flatMap((id) => {
        const property = joinKey("secretFiles", id);
        if (id === "" || /[\s,"]/.test(id)) {
            return [{ property, reason: "has an id with a space, comma or quote in it" }];
        }
        const isTwice = isObject(secrets) && id in secrets;
        return isTwice ? [{ property, reason: "is there already in secrets. Keep one of them" }] : [];
    });
}

function checkUlimits(list: readonly Properties[] = []): InputProblem[] {
    const names = list.map((ulimit) => (isObject(ulimit) ? ulimit["name"] : unknownValue));
    return list.flatMap((ulimit, index) => {
        const property = `ulimits[${index}]`;
        const name = names[index];
        const { soft, hard } = isObject(ulimit) ? ulimit : {};
        const problems: InputProblem[] = [];
        if (typeof name === "string" && name !== unknownValue && !ulimitNames.includes(name)) {
            const reason = `"${name}" is no limit. There is ${ulimitNames.join(", ")}`;
            problems.push({ property: `${property}.name`, reason });
        } else if (name !== unknownValue && names.indexOf(name) < index) {
            problems.push({
                property: `${property}.name`,
                reason: `is there already as ulimits[${names.indexOf(name)}]`,
            });
        }
        if (typeof soft === "number" && typeof hard === "number" && hard !== -1 && (soft > hard || soft === -1)) {
            problems.push({ property: `${property}.hard`, reason: "is less than soft" });
        }
        return problems;
    });
}

function checkTexts(inputs: Properties): InputProblem[] {
    const { shmSize, cgroupParent } = inputs;
    const problems: InputProblem[] = [];
    if (typeof shmSize === "string" && !sizePattern.test(shmSize)) {
        problems.push({ property: "shmSize", reason: `"${shmSize}" is not a size, for example 256m or 2g` });
    }
    if (cgroupParent === "") {
        problems.push({ property: "cgroupParent", reason: "is empty. Leave it out for the builder's own" });
    }
    for (const name of ["allow", "noCacheFilters"]) {
        ((inputs[name] as unknown[] | undefined) ?? []).forEach((value, index) => {
            if (value === "" || (name === "noCacheFilters" && typeof value === "string" && value.includes(","))) {
                problems.push({ property: `${name}[${index}]`, reason: "is empty, or has a comma in it" });
            }
        });
    }
    return problems;
}

function checkTimes({ sourceDateEpoch, buildArgs }: Properties): InputProblem[] {
    if (sourceDateEpoch === undefined) {
        return [];
    }
    const isTwice = isObject(buildArgs) && "SOURCE_DATE_EPOCH" in buildArgs;
    return [
        ...(typeof sourceDateEpoch === "number" && sourceDateEpoch < 0
            ? [{ property: "sourceDateEpoch", reason: "must be 0 or more: seconds since 1970" }]
            : []),
        ...(isTwice
            ? [{ property: "buildArgs.SOURCE_DATE_EPOCH", reason: "is set by sourceDateEpoch. Keep one of them" }]
            : []),
    ];
}

function checkCompression({ compression = "gzip", compressionLevel, forceCompression }: Properties): InputProblem[] {
    const highest = highestLevels[String(compression)];
    if (typeof compressionLevel !== "number" || compression === unknownValue || forceCompression === unknownValue) {
        return [];
    }
    if (highest === undefined) {
        return [{ property: "compressionLevel", reason: `means nothing for ${String(compression)}` }];
    }
    return compressionLevel < 0 || compressionLevel > highest
        ? [{ property: "compressionLevel", reason: `must be between 0 and ${highest} for ${String(compression)}` }]
        : [];
}
