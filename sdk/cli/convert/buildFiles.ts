import * as path from "node:path";

import { isRemote, type Draft } from "./build";
import { cut, readAttributes } from "./fields";
import type { Value } from "./program";
import { reference } from "./references";
import { settingName } from "./names";

/** The context, and the Dockerfile in it or elsewhere. */
export function convertContext(draft: Draft): void {
    const { context, inline, target } = draft.build;
    if (context === undefined) {
        draft.refuse("the context", "is missing. buildx build ends with a folder or an address, mostly .");
    } else if (context === "-") {
        draft.refuse("the context -", "is read from the standard input, which a program has not. Name a folder");
    } else {
        const contexts = named(draft);
        const more = Object.keys(contexts).length === 0 ? {} : { named: contexts };
        draft.set("context", { location: locate(draft, context), ...more });
    }
    const file = draft.last("file");
    if (inline !== undefined) {
        draft.set("dockerfile", { inline });
    } else if (file === "-") {
        draft.refuseOption("file", "is read from the standard input. Use a file, or dockerfile.inline in the program");
    } else if (file !== undefined) {
        convertDockerfile(draft, file, context ?? ".", target !== undefined);
    }
}

function convertDockerfile(draft: Draft, file: string, context: string, isInContext: boolean): void {
    if (isInContext && isRemote(context)) {
        if (file !== "Dockerfile") {
            draft.refuseOption(
                "file",
                "is a file of a remote context by another name than Dockerfile, which has no input",
            );
        }
        return;
    }
    const whole = isInContext && !isRemote(file) ? path.join(context, file) : file;
    const byDefault = path.join(context, "Dockerfile");
    if (isRemote(context) || path.normalize(whole) !== byDefault) {
        draft.set("dockerfile", { location: locate(draft, whole) });
    }
}

function named(draft: Draft): Record<string, Value> {
    const contexts: Record<string, Value> = {};
    for (const text of draft.all("build-context")) {
        const [name, location = ""] = cut(text, "=");
        if (location.startsWith("target:")) {
            const target = location.slice("target:".length);
            const remedy = `Make ${target} a stage of the same Dockerfile, or name what it pushes: docker-image://...`;
            draft.refuseOption("build-context", `${name} is the result of another build. ${remedy}`);
        } else {
            contexts[name] = { location: locate(draft, location) };
        }
    }
    return contexts;
}

function locate(draft: Draft, location: string): string {
    const layout = /^oci-layout:\/\/(.*)$/.exec(location)?.[1];
    if (layout !== undefined) {
        return `oci-layout://${draft.path(layout)}`;
    }
    return isRemote(location) ? location : draft.path(location);
}

/** Secrets: values come from the configuration of the stack, files stay files. */
export function convertSecrets(draft: Draft): void {
    const secrets: Record<string, Value> = {};
    const files: Record<string, Value> = {};
    for (const text of draft.all("secret")) {
        const given = readAttributes(text);
        const isVariable = given.get("type") === "env";
        const file = isVariable ? undefined : (given.get("src") ?? given.get("source"));
        const variable = given.get("env") ?? (isVariable ? (given.get("src") ?? given.get("source")) : undefined);
        const id = given.get("id") ?? file ?? variable;
        const unknown = [...given.keys()].filter((name) => !["type", "id", "src", "source", "env"].includes(name));
        if (id === undefined || unknown.length > 0) {
            const which = unknown.length > 0 ? `${unknown.join(", ")} is unknown to buildx too` : "it has no id";
            draft.refuseOption("secret", `cannot be understood: ${which}`);
        } else if (file !== undefined) {
            files[id] = draft.path(file);
        } else {
            const name = settingName(variable ?? id);
            const from = variable ?? id;
            draft.need({ name, secret: true, comment: `From ${from} in the environment until now` });
            secrets[id] = reference(name);
        }
    }
    draft.set("secrets", secrets);
    draft.set("secretFiles", files);
}

// The agent of the machine, which is what an id without paths means.
const ownAgent = reference(settingName("SSH_AUTH_SOCK"));

/** Agents and keys. */
export function convertSsh(draft: Draft): void {
    const list = draft.all("ssh").map((text): Value => {
        const [id, paths] = cut(text, "=");
        return paths === undefined || paths === ownAgent
            ? { id }
            : { id, paths: paths.split(",").map((file) => draft.path(file)) };
    });
    draft.set("ssh", list);
}
