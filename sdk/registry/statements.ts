import type { RegistryClient } from "./client";
import { brokenError } from "./faults";
import type { Descriptor } from "./manifests";
import type { Repository } from "./reference";
import { readSmallBlob } from "./smallBlob";

/** A statement about an image: one layer of an attestation manifest. */
export interface Statement {
    /** What kind of statement it is, as an address. */
    readonly predicateType: string;
    readonly blob: Descriptor;
    /** The manifest that holds it. */
    readonly manifest: string;
}

/** The part of a client that is needed here. */
export type StatementReader = Pick<RegistryClient, "getManifest" | "openBlob">;

const predicateAnnotation = "in-toto.io/predicate-type";
const provenanceType = "https://slsa.dev/provenance/";
const sbomType = "https://spdx.dev/Document";

// A provenance of a large build has a few megabytes. What is longer is none.
const largestStatement = 64 * 1024 * 1024;

/** The statements in attestation manifests. https://docs.docker.com/build/metadata/attestations/attestation-storage/ */
export async function listStatements(
    client: StatementReader,
    repository: Repository,
    attestations: readonly Descriptor[],
): Promise<Statement[]> {
    const found = await Promise.all(
        attestations.map(async ({ digest }) => {
            const { manifest } = await client.getManifest({ ...repository, digest });
            const layers = manifest.kind === "image" ? manifest.layers : [];
            return layers.map((blob) => {
                return { predicateType: blob.annotations?.[predicateAnnotation] ?? "", blob, manifest: digest };
            });
        }),
    );
    return found.flat();
}

/** True for a statement that says how an image was built. */
export function isProvenance({ predicateType }: Statement): boolean {
    return predicateType.startsWith(provenanceType);
}

/** True for a statement that lists what is in an image. */
export function isSbom({ predicateType }: Statement): boolean {
    return predicateType === sbomType;
}

/** Reads a statement. Its bytes fit the digest. */
export async function readStatement(
    client: StatementReader,
    repository: Repository,
    { blob }: Statement,
): Promise<unknown> {
    const attempt = { ...repository, doing: `reading the statement ${blob.digest}` };
    if (blob.size > largestStatement) {
        throw brokenError(attempt, `it has ${blob.size} bytes`);
    }
    const bytes = await readSmallBlob(client, repository, blob);
    try {
        return JSON.parse(bytes.toString("utf8"));
    } catch {
        throw brokenError(attempt, "it is not JSON");
    }
}
