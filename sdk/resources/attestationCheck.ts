import { MultiArchError } from "../errors";
import type { Descriptor } from "../registry/manifests";
import type { Repository } from "../registry/reference";
import { isProvenance, isSbom, listStatements, readStatement, type StatementReader } from "../registry/statements";
import type { PlatformImageInputs } from "./platformImageInputs";

// Shorter values are part of too many harmless texts.
const shortestSecret = 8;

/**
 * Looks at the attestations that a builder has pushed: what was asked for has to be there, and no secret in it. A
 * builder may be older than an option, and what a provenance holds is decided there.
 *
 * Throws a MultiArchError `attestation-missing` or `attestation-leak`; no index lists the image then.
 */
export async function checkAttestations(
    client: StatementReader,
    where: Repository,
    attestations: readonly Descriptor[],
    inputs: Pick<PlatformImageInputs, "platform" | "repository" | "attestations">,
    secrets: readonly string[],
): Promise<void> {
    const { provenance = "none", sbom = false } = inputs.attestations ?? {};
    if (provenance === "none" && !sbom) {
        return;
    }
    const { platform, repository } = inputs;
    const statements = await listStatements(client, where, attestations);
    const provenances = statements.filter(isProvenance);
    const missing = [
        ...(provenance !== "none" && provenances.length === 0 ? ["provenance"] : []),
        ...(sbom && !statements.some(isSbom) ? ["sbom"] : []),
    ];
    if (missing.length > 0) {
        const what = `the builder pushed no ${missing.join(" and no ")}, so the image goes into no index`;
        throw new MultiArchError("attestation-missing", { what, platform, property: `attestations.${missing[0]}` });
    }
    for (const statement of provenances) {
        if (holdsSecret(await readStatement(client, where, statement), secrets)) {
            const what = `the provenance ${repository}@${statement.manifest} holds a secret. No tag points to it`;
            throw new MultiArchError("attestation-leak", { what, platform, property: "attestations.provenance" });
        }
    }
}

/** True when any text of a document holds one of the secrets, in clear or as base64, as a Dockerfile is kept there. */
export function holdsSecret(document: unknown, secrets: readonly string[]): boolean {
    const wanted = secrets.map((secret) => secret.trim()).filter((secret) => secret.length >= shortestSecret);
    const holds = (text: string): boolean => wanted.some((secret) => text.includes(secret));
    const search = (value: unknown): boolean => {
        if (typeof value === "string") {
            return holds(value) || (isBase64(value) && holds(Buffer.from(value, "base64").toString("utf8")));
        }
        return typeof value === "object" && value !== null
            ? Object.entries(value).some(([name, item]) => holds(name) || search(item))
            : false;
    };
    return wanted.length > 0 && search(document);
}

function isBase64(text: string): boolean {
    return text.length >= shortestSecret && text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
}
