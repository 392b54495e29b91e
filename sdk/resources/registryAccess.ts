import type * as pulumi from "@pulumi/pulumi";

import type { RegistryArgs } from "../args";
import { MultiArchError, type ErrorCode } from "../errors";
import { normaliseAddress } from "../registry/accounts";
import { createRegistryClient, type RegistryClient } from "../registry/client";
import { formatReference, parseReference, parseRepository, type Repository } from "../registry/reference";
import type { OperationContext, ResourceState } from "./lifecycle";

type Registries = readonly pulumi.Unwrap<RegistryArgs>[] | undefined;

/** What says nothing about the images, only about the way to them. */
const unreadable: readonly ErrorCode[] = [
    "registry-unauthorized",
    "registry-forbidden",
    "registry-rate-limited",
    "registry-broken",
    "registry-unreachable",
    "registry-untrusted",
    "registry-credentials",
    "registry-refused",
    // What is looked for and lost has a better answer: this comes from something that knows nothing of the path.
    "registry-not-found",
];

const refusals: readonly ErrorCode[] = ["registry-unauthorized", "registry-forbidden"];

/** The engine runs no program for a refresh: what it knows of accounts is in the state. */
const ofLastUp = "A refresh uses the account of the last up: run `pulumi up` first if you have changed it.";

/**
 * Looks resources up for `refresh`. A registry that cannot be read tells nothing about what it holds: the state stays
 * as it is, and the user is warned.
 */
export async function readOrKeep(
    state: ResourceState,
    context: OperationContext,
    look: () => Promise<ResourceState | undefined>,
): Promise<ResourceState | undefined> {
    try {
        return await look();
    } catch (error) {
        if (error instanceof MultiArchError && unreadable.includes(error.code)) {
            const shown = refusals.includes(error.code) ? error.with({ next: `${error.next} ${ofLastUp}` }) : error;
            context.reporter.warn(`not refreshed, the state stays as it was: ${shown.message}`);
            return state;
        }
        throw error;
    }
}

/**
 * Lends a client for a registry and closes it afterwards. When the registry refuses the account, the error names the
 * place of that account in the program.
 */
export async function withRegistry<Result>(
    target: { readonly repository: string; readonly registries?: Registries },
    context: OperationContext,
    run: (client: RegistryClient, repository: Repository) => Promise<Result>,
): Promise<Result> {
    const repository = parseRepository(target.repository);
    const { signal, patience } = context;
    const client = createRegistryClient({ ...patience, registries: target.registries, signal });
    try {
        return await run(client, repository);
    } catch (error) {
        if (error instanceof MultiArchError && refusals.includes(error.code) && error.fields.property === undefined) {
            const registry = error.fields.registry ?? repository.registry;
            throw error.with({ property: propertyOf(target.registries, registry) });
        }
        throw error;
    } finally {
        await client.close();
    }
}

/** What an import names, as the registry has it. */
export interface ImportedReference {
    /** Registry and name, without tag and digest. */
    readonly repository: string;
    /** The tag of the id, when it has one. */
    readonly tag: string | undefined;
    readonly digest: string;
}

/** Looks up what the id of an import names, `repository:tag` or `repository@digest`. Undefined when it is not there. */
export async function withImported<Result>(
    id: string,
    context: OperationContext,
    run: (client: RegistryClient, where: Repository, imported: ImportedReference) => Promise<Result | undefined>,
): Promise<Result | undefined> {
    const reference = parseReference(id);
    const repository = formatReference({ registry: reference.registry, repository: reference.repository });
    return withRegistry({ repository }, context, async (client, where) => {
        const found = await client.headManifest(reference);
        return found && run(client, where, { repository, tag: reference.tag, digest: found.digest });
    });
}

function propertyOf(registries: Registries, registry: string): string {
    const index = (registries ?? []).findIndex(
        ({ address }) => normaliseAddress(address) === normaliseAddress(registry),
    );
    return index < 0 ? "registries" : `registries[${index}].password`;
}
