import { createRedactor } from "../build/redact";
import { type ErrorCode, escapeControls, MultiArchError } from "../errors";
import { readNetworkFault } from "./networkFaults";
import { isTransientStatus, readRetryAfter } from "./retry";
import type { Answer } from "./transport";

/** What was being done when something failed. */
export interface Attempt {
    readonly registry: string;
    readonly repository?: string | undefined;
    /** As the start of a sentence: "reading the manifest of 1.4.2". */
    readonly doing: string;
}

/** An error as a registry reports it. */
export interface RegistryReport {
    /** The registry's own code, for example MANIFEST_UNKNOWN. Empty when there is none. */
    readonly code: string;
    readonly message: string;
}

/** What is known about the account, beside the answer. */
export interface AccountFacts {
    /** Where the account came from: `registries`, or a file or helper. Undefined when there was none. */
    readonly source?: string | undefined;
    /** True when the registry knows the account, but does not let it do this. */
    readonly lacksRights?: boolean | undefined;
    /** Values that must not appear in a text. */
    readonly secrets?: readonly string[] | undefined;
}

const longestReport = 300;
const mostReports = 3;

/** The error for an answer that says no. */
export function answerError(attempt: Attempt, answer: Answer, account: AccountFacts = {}): MultiArchError {
    const code = codeForStatus(answer.status, account);
    const secrets = account.secrets ?? [];
    const redact = createRedactor([...secrets, ...secrets.map((secret) => JSON.stringify(secret).slice(1, -1))]);
    // Before anything is cut: a part of a secret is not recognised.
    const text = redact(answer.body.toString("utf8"));
    const reports = readReports(text);
    const known = reports.map((report) => report.code).filter(Boolean);
    const status = `HTTP ${answer.status}${known.length > 0 ? `, ${escapeControls(known.join(", "))}` : ""}`;
    const via = answer.url.hostname === hostOf(attempt.registry) ? "" : ` by ${answer.url.host}`;
    return new MultiArchError(code, {
        what: `${describe(attempt)} was refused${via} (${status})`,
        registry: attempt.registry,
        lines: describeReports(reports, text),
        next: nextStep(code, attempt, answer, account),
        transient: isTransientStatus(answer.status),
    });
}

/** The error for a request that got no answer. */
export function networkError(attempt: Attempt, error: unknown, host = attempt.registry): MultiArchError {
    const fault = readNetworkFault(error);
    const place = host === attempt.registry ? "" : ` at ${host}`;
    return new MultiArchError(fault.code, {
        what: `${describe(attempt)} failed${place}: ${fault.text}`,
        next: fault.next,
        transient: fault.transient,
    });
}

/** The error for an answer that a registry does not give. */
export function brokenError(attempt: Attempt, reason: string): MultiArchError {
    return new MultiArchError("registry-broken", { what: `${describe(attempt)} failed: ${reason}` });
}

/** The error for work that the user stopped. */
export function cancelledError(attempt: Attempt): MultiArchError {
    return new MultiArchError("build-cancelled", { what: `${describe(attempt)} was cancelled` });
}

/** Reads the errors in an answer: those of the distribution API, of a token service, or of OAuth. */
export function readReports(text: string): RegistryReport[] {
    let document: unknown;
    try {
        document = JSON.parse(text);
    } catch {
        return [];
    }
    if (!isRecord(document)) {
        return [];
    }
    if (Array.isArray(document.errors)) {
        return document.errors
            .filter(isRecord)
            .slice(0, mostReports)
            .map(({ code, message }) => ({ code: shorten(code, 60), message: shorten(message) }))
            .filter(isTelling);
    }
    // Docker Hub's token service answers with `details`, OAuth with `error`:
    // https://www.rfc-editor.org/rfc/rfc6749#section-5.2
    const message = document.error_description ?? document.details ?? document.message;
    return [{ code: shorten(document.error, 60), message: shorten(message) }].filter(isTelling);
}

function isTelling(report: RegistryReport): boolean {
    return report.code !== "" || report.message !== "";
}

function describe(attempt: Attempt): string {
    const place = attempt.repository === undefined ? "" : `/${attempt.repository}`;
    return `${attempt.registry}${place}: ${attempt.doing}`;
}

function describeReports(reports: readonly RegistryReport[], text: string): string[] {
    const texts = reports.map(({ code, message }) => [code, message].filter(Boolean).join(": "));
    if (texts.length > 0 || text.trim() === "") {
        return texts;
    }
    return /^\s*</.test(text) ? ["(a web page, not the answer of a registry)"] : [shorten(text)];
}

function codeForStatus(status: number, account: AccountFacts): ErrorCode {
    switch (status) {
        case 401:
            return account.lacksRights === true ? "registry-forbidden" : "registry-unauthorized";
        case 403:
            return "registry-forbidden";
        case 404:
            return "registry-not-found";
        case 429:
            return "registry-rate-limited";
        default:
            return status >= 400 && status < 500 ? "registry-refused" : "registry-broken";
    }
}

function nextStep(code: ErrorCode, attempt: Attempt, answer: Answer, account: AccountFacts): string | undefined {
    const { registry } = attempt;
    if (code === "registry-unauthorized" && account.source === undefined) {
        return `Give an account for ${registry} in registries, or log in with docker login ${registry}.`;
    }
    if (code === "registry-unauthorized") {
        return `Check user name and password for ${registry}; those from ${account.source ?? ""} were used.`;
    }
    if (code === "registry-forbidden" && account.source !== undefined) {
        return `Give the account from ${account.source} the right to do this, or use another one.`;
    }
    const wait = readRetryAfter(answer.headers["retry-after"], Date.now());
    if (code === "registry-rate-limited" && wait !== undefined) {
        return `The registry asks to wait ${Math.ceil(wait / 1000)} s. Run up again then, or use another account.`;
    }
    return undefined;
}

/** One line of limited length: what a registry writes is not ours to trust. */
function shorten(value: unknown, longest = longestReport): string {
    const text = typeof value === "string" ? value.replace(/\s+/g, " ").trim() : "";
    return text.length > longest ? `${text.slice(0, longest)}...` : text;
}

function hostOf(registry: string): string {
    return registry === "docker.io" ? "registry-1.docker.io" : (URL.parse(`https://${registry}`)?.hostname ?? registry);
}

function isRecord(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
