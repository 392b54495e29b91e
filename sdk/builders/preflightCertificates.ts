import { X509Certificate } from "node:crypto";
import type * as tls from "node:tls";
import type { BuilderTls } from "./node";

/** When the certificates of a connection end, as ISO dates. */
export interface CertificateDates {
    /** That of the builder. */
    readonly builder: string;
    /** That of this side. */
    readonly client: string;
}

const dayMs = 24 * 3_600_000;
const soonDays = 7;

/** When the certificates of a connection end. */
export function certificateDates({ cert }: BuilderTls, connection: tls.TLSSocket): CertificateDates {
    return {
        builder: toIso(connection.getPeerCertificate().valid_to),
        client: toIso(new X509Certificate(cert).validTo),
    };
}

/** The whole days that are left until a date; 0 on the last one. */
export function daysLeft(date: string, now = Date.now()): number {
    return Math.floor((Date.parse(date) - now) / dayMs);
}

/** Notes on certificates that end within a week. */
export function noteEnds(dates: CertificateDates | undefined, now = Date.now()): string[] {
    const entries = dates
        ? [
              ["the certificate of the builder", dates.builder],
              ["tls.cert", dates.client],
          ]
        : [];
    return entries.flatMap(([name = "", date = ""]) => {
        return daysLeft(date, now) < soonDays ? [`${name} ends in ${count(daysLeft(date, now))}, on ${date}`] : [];
    });
}

/** Both dates, for people. */
export function describeDates({ builder, client }: CertificateDates): string {
    return `certificates end in ${count(daysLeft(builder))} (builder) and ${count(daysLeft(client))} (client)`;
}

function count(days: number): string {
    return days === 1 ? "1 day" : `${days} days`;
}

function toIso(text: string): string {
    return new Date(text).toISOString().replace(/\.\d+Z$/, "Z");
}
