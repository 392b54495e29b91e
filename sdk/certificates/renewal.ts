/** How long certificates last, in days. */
export interface Lifetimes {
    /** Of the certificates of servers and clients. */
    readonly validityDays: number;
    /** How long before their end those are renewed. */
    readonly renewBeforeDays: number;
    /** Of an authority. */
    readonly caValidityDays: number;
}

/** An authority, as far as its time goes. */
export interface AuthorityTimes {
    /** Since when builders and clients are told to trust it. */
    readonly addedAt: Date;
    readonly notAfter: Date;
}

/** What is to be done about certificates at some time. */
export interface RenewalPlan {
    /** The places of the authorities that are still trusted, in their order. */
    readonly kept: readonly number[];
    /** True when a new authority joins them. */
    readonly addsAuthority: boolean;
    /** Which signs from now on: one of those kept, or the new one. */
    readonly signer: number | "new";
    /** True when the certificates of servers and clients are issued anew. */
    readonly issues: boolean;
    /** Why, for people; empty when there is nothing to do. */
    readonly reasons: readonly string[];
}

const dayMs = 24 * 60 * 60 * 1_000;

/** How many whole days are left. Negative after the end. */
export function daysUntil(end: Date, now: Date): number {
    return Math.floor((end.getTime() - now.getTime()) / dayMs);
}

/** The date so many days later. */
export function addDays(date: Date, days: number): Date {
    return new Date(date.getTime() + days * dayMs);
}

/**
 * Decides what is due. An authority is replaced in two steps, so that no builder meets a certificate of one it does not
 * trust yet: first the new one is added to those that are trusted, and only certificates issued `renewBeforeDays` later
 * are signed by it. The old one is trusted until its end.
 */
export function planRenewal(
    authorities: readonly AuthorityTimes[],
    issuedUntil: Date | undefined,
    lifetimes: Lifetimes,
    now: Date,
): RenewalPlan {
    const { validityDays, renewBeforeDays } = lifetimes;
    const kept = [...authorities.keys()].filter((place) => daysUntil(timesAt(authorities, place).notAfter, now) > 0);
    const newest = kept.at(-1);
    const newestEnd = newest === undefined ? now : timesAt(authorities, newest).notAfter;
    // What is issued at the last moment with it must live as long as any other.
    const addsAuthority = daysUntil(newestEnd, now) < validityDays + 2 * renewBeforeDays;
    const known = kept.filter((place) => daysUntil(now, timesAt(authorities, place).addedAt) >= renewBeforeDays);
    const signer = known.at(-1) ?? kept[0] ?? "new";
    const daysLeft = issuedUntil === undefined ? undefined : daysUntil(issuedUntil, now);
    const issues = daysLeft === undefined || daysLeft < renewBeforeDays;
    const reasons = [
        ...(issues && daysLeft !== undefined ? [describeEnd("certificates", daysLeft)] : []),
        ...(addsAuthority && newest !== undefined ? [describeEnd("the authority", daysUntil(newestEnd, now))] : []),
        ...(newest === undefined && authorities.length > 0 ? ["the authority has expired"] : []),
    ];
    return { kept, addsAuthority, signer, issues: issues || signer === "new", reasons };
}

function timesAt(authorities: readonly AuthorityTimes[], place: number): AuthorityTimes {
    return authorities[place] ?? { addedAt: new Date(0), notAfter: new Date(0) };
}

function describeEnd(what: string, days: number): string {
    if (days < 0) {
        return `${what} expired ${-days} days ago`;
    }
    return `${what} ${what === "certificates" ? "expire" : "expires"} in ${days} days`;
}
