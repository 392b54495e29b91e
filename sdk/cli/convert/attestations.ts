import { isTrue, type Draft } from "./build";
import { isPushed } from "./destination";
import { readAttributes, type Attributes } from "./fields";

/**
 * Provenance and SBOM. buildx adds the smaller provenance to what it pushes when nothing is said of it.
 * https://github.com/docker/buildx/blob/v0.35.0/build/opt.go
 */
export function convertAttestations(draft: Draft): void {
    const given = readAttestations(draft);
    const attestations = {
        ...provenance(draft, given.get("provenance")),
        ...sbom(draft, given.get("sbom")),
    };
    for (const type of [...given.keys()].filter((name) => !["provenance", "sbom"].includes(name))) {
        draft.refuseOption("attest", `has the type "${type}". There is provenance and sbom`);
    }
    draft.set("attestations", attestations);
}

/** Whether the provenance holds the values of build arguments, for everyone who can pull the image. */
export function publishesArgs(draft: Draft): boolean {
    const attributes = readAttestations(draft).get("provenance");
    return attributes !== undefined && !isDisabled(attributes) && attributes.get("mode") === "max";
}

function readAttestations(draft: Draft): Map<string, Attributes> {
    const given = new Map<string, Attributes>();
    for (const text of draft.all("attest")) {
        const attributes = readAttributes(text);
        given.set(attributes.get("type") ?? "", attributes);
    }
    for (const type of ["provenance", "sbom"]) {
        const value = draft.last(type);
        if (value !== undefined && value !== "") {
            const isSwitch = /^(1|t|true|0|f|false)$/i.test(value);
            const fields = isSwitch ? (isTrue(value) ? "" : "disabled=true") : value;
            given.set(type, readAttributes(`type=${type}${fields === "" ? "" : `,${fields}`}`));
        }
    }
    return given;
}

function provenance(draft: Draft, attributes: Attributes | undefined): { provenance?: string } {
    if (attributes === undefined) {
        const isOff = isTrue(draft.build.env["BUILDX_NO_DEFAULT_ATTESTATIONS"] ?? "false");
        if (isOff || !isPushed(draft)) {
            return {};
        }
        draft.note(
            "buildx adds provenance when nothing is said of it. Without attestations the images are plain ones.",
        );
        return { provenance: "min" };
    }
    if (isDisabled(attributes)) {
        return {};
    }
    const mode = attributes.get("mode") ?? "min";
    refuseOthers(draft, "provenance", attributes, ["mode"]);
    // buildx has names for the modes of later versions too, which mean nothing here.
    if (mode !== "min" && mode !== "max") {
        draft.refuseOption("provenance", `is "${mode}". There is min and max`, "mode");
    }
    return { provenance: mode };
}

function sbom(draft: Draft, attributes: Attributes | undefined): { sbom?: boolean; sbomGenerator?: string } {
    if (attributes === undefined || isDisabled(attributes)) {
        return {};
    }
    const generator = attributes.get("generator");
    refuseOthers(draft, "sbom", attributes, ["generator"]);
    return { sbom: true, ...(generator === undefined ? {} : { sbomGenerator: generator }) };
}

function isDisabled(attributes: Attributes): boolean {
    return isTrue(attributes.get("disabled") ?? "false");
}

function refuseOthers(draft: Draft, option: string, attributes: Attributes, known: readonly string[]): void {
    for (const name of attributes.keys()) {
        if (!["type", "disabled", ...known].includes(name)) {
            draft.refuseOption(option, "has no input here. Leave it out, or add the statement with another tool", name);
        }
    }
}
