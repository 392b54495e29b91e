import type { PlainAnswer } from "./faultKinds";

/** Asks the registry itself, past everything that may go wrong on the way. */
export type Ask = (method: "GET" | "HEAD" | "DELETE", path: string) => Promise<PlainAnswer>;

interface Document {
    readonly manifests?: readonly { digest: string }[];
    readonly config?: { digest: string };
    readonly layers?: readonly { digest: string }[];
}

/** Everything that a manifest needs and its repository does not have, down to the layers. Empty when it is whole. */
export async function findMissing(ask: Ask, repository: string, name: string): Promise<string[]> {
    const { status, body } = await ask("GET", `/v2/${repository}/manifests/${name}`);
    return status === 200 ? findMissingParts(ask, repository, body) : [`manifest ${name}: HTTP ${status}`];
}

/** The same for a manifest that is not there yet. */
export async function findMissingParts(ask: Ask, repository: string, body: Buffer): Promise<string[]> {
    const document = readDocument(body);
    if (document === undefined) {
        return ["it is not a manifest"];
    }
    const blobs = [...(document.config ? [document.config] : []), ...(document.layers ?? [])];
    const missing = await Promise.all([
        ...(document.manifests ?? []).map(({ digest }) => findMissing(ask, repository, digest)),
        ...blobs.map(async ({ digest }) => {
            const { status } = await ask("HEAD", `/v2/${repository}/blobs/${digest}`);
            return status === 200 ? [] : [`blob ${digest}: HTTP ${status}`];
        }),
    ]);
    return missing.flat();
}

function readDocument(body: Buffer): Document | undefined {
    try {
        return JSON.parse(body.toString("utf8")) as Document;
    } catch {
        return undefined;
    }
}
