import { whatOf } from "../errors";
import { formatReference, parseReference } from "../registry/reference";
import type { InputProblem } from "../resources/lifecycle";
import { isObject, unknownValue, type Properties } from "../resources/values";

/** The addresses of contexts and of the Dockerfile, and the names of contexts. */
export function checkContext({ context, dockerfile }: Properties): InputProblem[] {
    const locations = listLocations(context);
    const all = [...locations, ...listLocation("dockerfile", dockerfile)];
    return [
        ...locations.filter(([, location]) => location === "").map(([property]) => ({ property, reason: isEmpty })),
        ...all.flatMap(([property, location]) => checkAddress(property, location)),
        ...checkNames(isObject(context) && isObject(context["named"]) ? Object.keys(context["named"]) : []),
    ];
}

/** The locations that are known, each with its property. */
export function listLocations(context: unknown): [property: string, location: string][] {
    const named = isObject(context) && isObject(context["named"]) ? Object.entries(context["named"]) : [];
    return [
        ...listLocation("context", context),
        ...named.flatMap(([name, source]) => listLocation(`context.named.${name}`, source)),
    ];
}

const isEmpty = 'is empty. Write "." for the folder of the program';

function listLocation(path: string, source: unknown): [string, string][] {
    const location = isObject(source) ? source["location"] : undefined;
    return typeof location === "string" && location !== unknownValue ? [[`${path}.location`, location]] : [];
}

/** An account in an address would show in the list of processes, and in what describes the image. */
function checkAddress(property: string, location: string): InputProblem[] {
    const [, transport = "", rest = ""] = /^(?:git\+)?(https?|ftps?|ssh|git):\/\/(.*)$/is.exec(location) ?? [];
    const authority = /^[^/?#\\]*/.exec(rest)?.[0] ?? "";
    const account = authority.split("@").slice(0, -1).join("@");
    const ssh = transport.toLowerCase() === "ssh";
    const holdsAccount = ssh ? account.includes(":") : authority.includes("@");
    // In a password, a slash ends what programs take for the host: then the password is where a port would be.
    if (!holdsAccount && !(/:(?!\d*$)[^\]]*$/.test(authority) && rest.includes("@"))) {
        return [];
    }
    const isGit = property.startsWith("context.") && (ssh || /\.git(?:[?#]|$)/.test(rest));
    const remedy = isGit
        ? "Take it out, and give the token of an https address as GIT_AUTH_TOKEN in secrets"
        : "Take it out: an address that asks for an account cannot be used here";
    return [{ property, reason: `holds a password or a token. ${remedy}` }];
}

/** BuildKit looks a context up as it would an image: https://github.com/moby/buildkit/blob/v0.31.1/frontend/dockerui/config.go */
function checkNames(names: readonly string[]): InputProblem[] {
    const known = new Map<string, string>();
    return names.flatMap((name) => {
        const property = `context.named["${name}"]`;
        try {
            const reference = parseReference(name);
            const untagged = reference.tag === undefined && reference.digest === undefined;
            const whole = formatReference(untagged ? { ...reference, tag: "latest" } : reference);
            const first = known.get(whole);
            known.set(whole, name);
            return first === undefined
                ? []
                : [{ property, reason: `means the same image as context.named["${first}"]` }];
        } catch (error) {
            return [{ property, reason: `is not a name that FROM can use: ${whatOf(error)}` }];
        }
    });
}
