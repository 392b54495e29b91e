import { whatOf } from "../errors";
import { normaliseAddress } from "../registry/accounts";
import { formatReference, isTag, parseRepository } from "../registry/reference";
import type { InputProblem } from "../resources/lifecycle";
import { unknownValue, type Properties } from "../resources/values";

interface Registry {
    readonly address: string;
    readonly username?: string;
    readonly password?: string;
}

/** Where an image goes, and with which account. */
export function checkTarget(inputs: Properties): InputProblem[] {
    return [...checkRepository(inputs["repository"] as string | undefined), ...checkRegistries(inputs)];
}

/** The tags of an index: at least one, each a tag and nothing more, none twice. */
export function checkTags(inputs: Properties): InputProblem[] {
    const tags = inputs["tags"] as string[] | undefined;
    if (tags?.length === 0) {
        return [{ property: "tags", reason: "names no tag. Leave it out for the tag latest" }];
    }
    return (tags ?? []).flatMap((tag, index) => {
        const property = `tags[${index}]`;
        if (tag === unknownValue) {
            return [];
        }
        if (!isTag(tag)) {
            const reason = "is not a tag: up to 128 letters, digits, '_', '.' and '-', not beginning with '.' or '-'";
            return [{ property, reason: `"${tag}" ${reason}` }];
        }
        const first = tags?.indexOf(tag) ?? index;
        return first < index ? [{ property, reason: `"${tag}" is there already as tags[${first}]` }] : [];
    });
}

/** More places for the same index: each a repository, and none twice. */
export function checkAdditionalRepositories(inputs: Properties): InputProblem[] {
    const repositories = (inputs["additionalRepositories"] as string[] | undefined) ?? [];
    const places = new Map<string, string>();
    const note = (repository: string, property: string): InputProblem[] => {
        const place = nameRepository(repository);
        const first = place === undefined ? undefined : places.get(place);
        if (place !== undefined && first === undefined) {
            places.set(place, property);
        }
        return first === undefined ? [] : [{ property, reason: `is the same repository as ${first}` }];
    };
    note((inputs["repository"] as string | undefined) ?? unknownValue, "repository");
    return repositories.flatMap((repository, index) => {
        const property = `additionalRepositories[${index}]`;
        return [...checkRepository(repository, property), ...note(repository, property)];
    });
}

function checkRepository(repository: string | undefined, property = "repository"): InputProblem[] {
    if (repository === undefined || repository === unknownValue) {
        return [];
    }
    try {
        parseRepository(repository);
        return [];
    } catch (error) {
        return [{ property, reason: whatOf(error) }];
    }
}

/** The one spelling of a repository that has several; undefined for what is none, or not known yet. */
function nameRepository(repository: string): string | undefined {
    try {
        return repository === unknownValue ? undefined : formatReference(parseRepository(repository));
    } catch {
        return undefined;
    }
}

function checkRegistries(inputs: Properties): InputProblem[] {
    const registries = (inputs["registries"] as Registry[] | undefined) ?? [];
    return registries.flatMap((registry, index) => {
        if ((registry as unknown) === unknownValue) {
            return [];
        }
        const { address, username, password } = registry;
        const path = `registries[${index}]`;
        const problems: InputProblem[] = [];
        if (address !== unknownValue && address.trim() === "") {
            problems.push({ property: `${path}.address`, reason: "is empty. For example: registry.example.com" });
        }
        if (username !== undefined && password === undefined) {
            problems.push({ property: `${path}.password`, reason: "is required beside username" });
        }
        if (password !== undefined && username === undefined) {
            problems.push({ property: `${path}.username`, reason: "is required beside password" });
        }
        // An account is for a whole registry, whatever scheme or path is written with it.
        const host = normaliseAddress(address);
        const first = registries.findIndex(
            (other) => (other as unknown) !== unknownValue && normaliseAddress(other.address) === host,
        );
        if (first < index && host !== "" && address !== unknownValue) {
            const reason = `means the same registry as registries[${first}].address. Keep one account for each registry`;
            problems.push({ property: `${path}.address`, reason });
        }
        return problems;
    });
}
