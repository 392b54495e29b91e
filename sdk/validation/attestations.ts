import { whatOf } from "../errors";
import { parseReference } from "../registry/reference";
import type { InputProblem } from "../resources/lifecycle";
import { unknownValue, type Properties } from "../resources/values";

/** What is said about an image: a generator only where there is something to generate, and one that can be pulled. */
export function checkAttestations(inputs: Properties): InputProblem[] {
    const { sbom, sbomGenerator } = (inputs["attestations"] ?? {}) as { sbom?: unknown; sbomGenerator?: unknown };
    const property = "attestations.sbomGenerator";
    if (typeof sbomGenerator !== "string" || sbomGenerator === unknownValue) {
        return [];
    }
    if (sbom !== true && sbom !== unknownValue) {
        return [{ property, reason: "has no use unless sbom is true" }];
    }
    try {
        parseReference(sbomGenerator);
        return [];
    } catch (error) {
        return [{ property, reason: whatOf(error) }];
    }
}
