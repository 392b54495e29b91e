import { publishesArgs } from "./attestations";
import type { Draft } from "./build";
import { cut } from "./fields";
import type { Value } from "./program";
import { hasReference, reference, referencesIn } from "./references";
import { looksSecret, settingName } from "./names";

// Arguments that mean something to buildx or BuildKit, and have an input of their own.
const withInput = new Set(["SOURCE_DATE_EPOCH", "BUILDKIT_INLINE_CACHE"]);

/** Build arguments. One that looks like a secret is read from the configuration, and its value is not repeated. */
export function convertBuildArgs(draft: Draft): void {
    const args: Record<string, Value> = {};
    for (const text of draft.all("build-arg")) {
        const [name, value] = cut(text, "=");
        if (/^BUILDKIT_ATTEST_/i.test(name)) {
            draft.refuseOption(
                "build-arg",
                "makes attestations by itself. Use --attest, which becomes attestations",
                name,
            );
        } else if (!withInput.has(name)) {
            args[name] = looksSecret(name) ? secretArg(draft, name, value) : plainArg(draft, name, value);
        }
    }
    draft.set("buildArgs", args);
    convertEpoch(draft);
}

function plainArg(draft: Draft, name: string, value: string | undefined): Value {
    if (value !== undefined) {
        return value;
    }
    const setting = settingName(name);
    draft.need({ name: setting, comment: `From ${name} in the environment until now` });
    return reference(setting);
}

function secretArg(draft: Draft, name: string, value: string | undefined): Value {
    const advice = `${name} looks like a secret, and a build argument stays in the history of the image`;
    if (publishesArgs(draft)) {
        const remedy = "Move it to --secret, or use mode=min";
        draft.refuseOption("build-arg", `looks like a secret, and provenance with mode=max holds it. ${remedy}`, name);
    }
    draft.note(`${advice}: move it to secrets, and use RUN --mount=type=secret in the Dockerfile.`);
    const known = referencesIn(value ?? "")[0];
    const whole = value !== undefined && known !== undefined && value === reference(known);
    const setting = whole ? known : settingName(name);
    draft.need({ name: setting, secret: true, comment: `The value of the build argument ${name}` });
    return reference(setting);
}

/** The time that stands for all others: as an argument, or in the environment, where buildx looks too. */
export function findEpoch(draft: Draft): { readonly value: string | undefined } | undefined {
    const given = draft
        .all("build-arg")
        .map((text) => cut(text, "="))
        .findLast(([name]) => name === "SOURCE_DATE_EPOCH");
    const value = given?.[1] ?? draft.build.env["SOURCE_DATE_EPOCH"];
    return given === undefined && value === undefined ? undefined : { value };
}

function convertEpoch(draft: Draft): void {
    const epoch = findEpoch(draft);
    if (epoch === undefined) {
        return;
    }
    const { value } = epoch;
    if (value !== undefined && /^\d+$/.test(value)) {
        draft.set("sourceDateEpoch", Number(value));
    } else if (value === undefined || hasReference(value)) {
        draft.need({ name: "sourceDateEpoch", type: "number", comment: "From SOURCE_DATE_EPOCH until now" });
        draft.set("sourceDateEpoch", reference("sourceDateEpoch"));
    } else {
        draft.refuseOption("build-arg", "is not a number of seconds", "SOURCE_DATE_EPOCH");
    }
}
