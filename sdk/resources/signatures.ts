import type * as pulumi from "@pulumi/pulumi";

import type { SignArgs, VerifyArgs } from "../args";
import { MultiArchError } from "../errors";
import type { Descriptor } from "../registry/manifests";
import type { Repository } from "../registry/reference";
import { readSigningKey } from "../signing/key";
import { signDigest } from "../signing/sign";
import { readSignatures, writeSignature, type SignatureClient, type StoredSignature } from "../signing/store";
import { createSignatureCheck, type CheckSignature, type SignaturePolicy } from "../signing/verify";
import { findChanges } from "./differences";
import type { OperationContext, PropertyChange, Reporter } from "./lifecycle";
import { hasUnknown, isObject, unknownValue, type Properties } from "./values";

/** How an index is signed and checked, plain as in the state. */
export interface SignInputs {
    readonly sign?: pulumi.Unwrap<SignArgs> | undefined;
    readonly verify?: pulumi.Unwrap<VerifyArgs> | undefined;
}

/** What signing gives. An index that is not signed has none of it. */
export interface SignatureOutputs {
    /** The digest of the signature's manifest. The empty text after a refresh that found it lost. */
    readonly signature?: string;
    /** The public half of the key, as PEM. */
    readonly publicKey?: string;
}

/** What is known of a resource from before. */
export interface State {
    readonly inputs: Properties;
    readonly outputs: Properties;
}

/** The inputs above that are secrets. */
export const signSecrets = ["sign.key.privateKey", "sign.key.password", "sign.keyless.identityToken"] as const;

/**
 * Signs an index that is in the registry, and reads the signature back: what comes after this may rely on it. One that
 * is there already and fits is taken, whoever made it. Throws a MultiArchError; nothing has been tagged by then.
 */
export async function signIndex(
    client: SignatureClient,
    where: Repository,
    { sign, verify }: SignInputs,
    index: Pick<Descriptor, "mediaType" | "digest" | "size">,
    context: OperationContext,
): Promise<SignatureOutputs> {
    if (sign === undefined) {
        return {};
    }
    const { digest } = index;
    const key = sign.key && readKey(sign.key);
    const publicKey = key === undefined ? {} : { publicKey: key.publicKey };
    const policy: SignaturePolicy = verify ?? publicKey;
    const check = await createSignatureCheck(policy, context.signal);
    const known = (await readSignatures(client, where, digest)).find(
        ({ bundle }) => check(bundle, digest) === undefined,
    );
    if (known !== undefined) {
        return { signature: known.digest, ...publicKey };
    }
    context.reporter.status(`signing ${digest}`);
    const bundle = await signDigest(digest, {
        key: key && { ...key, rekorUrl: sign.key?.rekorUrl },
        keyless: sign.keyless,
        signal: context.signal,
    });
    refuse(check(bundle, digest), `the new signature of ${digest} does not fit what verify asks for`);
    const signature = await writeSignature(client, where, index, bundle);
    const written = (await readSignatures(client, where, digest)).find((stored) => stored.digest === signature);
    refuse(
        written === undefined ? "it is not where others look for it" : check(written.bundle, digest),
        `the signature ${signature} of ${digest} was written, and cannot be read back`,
    );
    context.reporter.info(`signed ${digest}: ${signature}`);
    return { signature, ...publicKey };
}

/**
 * Checks that what is to be copied was signed, and gives all its signatures, that one first. Throws a MultiArchError
 * `signature-missing` or `signature-invalid`.
 */
export async function verifySignatures(
    client: SignatureClient,
    where: Repository,
    digest: string,
    check: CheckSignature,
    name: string,
): Promise<StoredSignature[]> {
    const found = await readSignatures(client, where, digest);
    const reasons = found.map(({ bundle }) => check(bundle, digest));
    const position = reasons.indexOf(undefined);
    const fitting = found[position];
    if (found.length === 0) {
        const what = `${name} is not signed, so nothing was copied and no tag moved`;
        throw new MultiArchError("signature-missing", { what, property: "verify" });
    }
    if (fitting === undefined) {
        throw new MultiArchError("signature-invalid", {
            what: `no signature of ${name} fits, so nothing was copied and no tag moved`,
            property: "verify",
            lines: found.map((stored, index) => `${stored.digest}: ${reasons[index] ?? ""}`),
        });
    }
    return [fitting, ...found.filter((stored) => stored !== fitting)];
}

/** Looks a signature up for `refresh`: its digest, or the empty text when it is lost. */
export async function lookAtSignature(
    client: SignatureClient,
    where: Repository,
    digest: string,
    { signature }: SignatureOutputs,
    reporter: Reporter,
): Promise<SignatureOutputs> {
    if (signature === undefined || signature === "") {
        return signature === undefined ? {} : { signature };
    }
    const found = await readSignatures(client, where, digest);
    if (found.some((stored) => stored.digest === signature)) {
        return { signature };
    }
    reporter.warn(`the signature ${signature} of ${digest} is lost. The next up writes one again.`);
    return { signature: "" };
}

/** What makes a new signature necessary. A token that is new in each run does not. */
export function findSignatureChanges(old: State, inputs: Properties): Record<string, PropertyChange> {
    const isLost = old.outputs["signature"] === "" && (inputs["sign"] ?? inputs["verify"]) !== undefined;
    return {
        ...(isLost ? { [inputs["sign"] === undefined ? "verify" : "sign"]: "update" as const } : {}),
        ...findChanges(withoutPassing(old.inputs["sign"]), withoutPassing(inputs["sign"]), "sign"),
        ...findChanges(old.inputs["verify"], inputs["verify"], "verify"),
    };
}

/** What signing will give, as far as it is known before. */
export function describeSignature(digest: unknown, old: State | undefined, inputs: Properties): Properties {
    const { sign } = inputs as SignInputs;
    if (sign === undefined) {
        return {};
    }
    const known = old?.outputs["digest"] === digest ? old : undefined;
    const isSame = known !== undefined && Object.keys(findSignatureChanges(known, inputs)).length === 0;
    return {
        signature: isSame ? known.outputs["signature"] : unknownValue,
        ...(sign.key === undefined
            ? {}
            : { publicKey: hasUnknown(sign.key) ? unknownValue : readKey(sign.key).publicKey }),
    };
}

function readKey(key: NonNullable<NonNullable<SignInputs["sign"]>["key"]>) {
    try {
        return readSigningKey(key);
    } catch (error) {
        const what = `the key that signs cannot be used: ${error instanceof TypeError ? error.message : "it is damaged"}`;
        throw new MultiArchError("sign-failed", { what, property: "sign.key.privateKey", cause: error });
    }
}

function refuse(reason: string | undefined, what: string): void {
    if (reason !== undefined) {
        throw new MultiArchError("signature-invalid", { what: `${what}: ${reason}`, property: "sign" });
    }
}

function withoutPassing(sign: unknown): unknown {
    if (!isObject(sign)) {
        return sign;
    }
    const { key, keyless } = sign;
    return {
        ...sign,
        ...(isObject(key) ? { key: { ...key, password: undefined } } : {}),
        ...(isObject(keyless) ? { keyless: { ...keyless, identityToken: undefined } } : {}),
    };
}
