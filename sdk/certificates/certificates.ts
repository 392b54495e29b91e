import { createAuthority, issueCertificate, validityOf, type KeyPair, type Validity } from "./issue";
import { addDays, planRenewal, type Lifetimes, type RenewalPlan } from "./renewal";

/** All certificates of builders and of who uses them. */
export interface CertificateSet {
    /** The authorities that both sides trust, the oldest first. */
    readonly authorities: readonly Authority[];
    readonly server: KeyPair;
    readonly client: KeyPair;
}

/** An authority, and since when both sides are told to trust it. */
export interface Authority extends KeyPair {
    /** As ISO text. */
    readonly addedAt: string;
}

/** What certificates are for, and how long they last. */
export interface CertificateOptions extends Lifetimes {
    /** The names and addresses that builders answer to. */
    readonly serverNames: readonly string[];
}

// A clock that is a little slow must not refuse what was issued just now.
const clockSkewDays = 1 / 24;

/** What is due for certificates at some time. */
export function planCertificates(set: CertificateSet, options: CertificateOptions, now: Date): RenewalPlan {
    const authorities = set.authorities.map(({ cert, addedAt }) => ({
        addedAt: new Date(addedAt),
        notAfter: validityOf(cert).notAfter,
    }));
    return planRenewal(authorities, expiryOf(set), options, now);
}

/** When the first of the certificates of servers and clients ends. */
export function expiryOf({ server, client }: Pick<CertificateSet, "server" | "client">): Date {
    const ends = [server, client].map(({ cert }) => validityOf(cert).notAfter.getTime());
    return new Date(Math.min(...ends));
}

/** Makes all certificates, the first time. */
export async function createCertificates(options: CertificateOptions, now: Date): Promise<CertificateSet> {
    const authority = await addAuthority(options, now);
    return { authorities: [authority], ...(await issueBoth(authority, options, now)) };
}

/** Does what is due, and nothing else. `anew` issues certificates also when they would last. */
export async function renewCertificates(
    set: CertificateSet,
    options: CertificateOptions,
    now: Date,
    anew: boolean,
): Promise<CertificateSet> {
    const plan = planCertificates(set, options, now);
    const kept = set.authorities.filter((_, place) => plan.kept.includes(place));
    const added = plan.addsAuthority ? [await addAuthority(options, now)] : [];
    const authorities = [...kept, ...added];
    const signer = plan.signer === "new" ? authorities.at(-1) : set.authorities[plan.signer];
    if (signer === undefined || !(plan.issues || anew)) {
        return { ...set, authorities };
    }
    return { authorities, ...(await issueBoth(signer, options, now)) };
}

async function addAuthority({ caValidityDays }: CertificateOptions, now: Date): Promise<Authority> {
    const validity = { notBefore: addDays(now, -clockSkewDays), notAfter: addDays(now, caValidityDays) };
    const pair = await createAuthority(`multiarch builders ${now.toISOString().slice(0, 10)}`, validity);
    return { ...pair, addedAt: now.toISOString() };
}

async function issueBoth(
    authority: KeyPair,
    { serverNames, validityDays }: CertificateOptions,
    now: Date,
): Promise<Pick<CertificateSet, "server" | "client">> {
    const end = addDays(now, validityDays);
    const { notAfter } = validityOf(authority.cert);
    const validity: Validity = { notBefore: addDays(now, -clockSkewDays), notAfter: end < notAfter ? end : notAfter };
    const [server, client] = await Promise.all([
        issueCertificate(authority, { name: "multiarch builder", hosts: serverNames, validity }),
        issueCertificate(authority, { name: "multiarch client", validity }),
    ]);
    return { server, client };
}
