import { describeNode } from "../../builders/node";
import type { Stage } from "../../builders/preflight";
import { escapeControls, MultiArchError } from "../../errors";
import type { BuilderReport, ToolReport } from "./examine";

/** All that was found, as lines for people. */
export function writeReport(tools: readonly ToolReport[], builders: readonly BuilderReport[]): string {
    const blocks = [writeTools(tools), ...builders.map(writeBuilder), writeSummary(tools, builders)];
    return `${escapeControls(blocks.map((lines) => lines.join("\n")).join("\n\n"))}\n`;
}

/** True when nothing is wrong. */
export function isFit(tools: readonly ToolReport[], builders: readonly BuilderReport[]): boolean {
    return [...tools, ...builders].every(({ error }) => error === undefined);
}

/** All that was found, for programs. */
export function writeJson(tools: readonly ToolReport[], builders: readonly BuilderReport[]): string {
    const document = {
        fit: isFit(tools, builders),
        machine: tools.map(({ name, version, error }) => ({ name, version, ...describeError(error) })),
        builders: builders.map(({ node, stages, facts, cache, error }) => ({
            platform: node.platform,
            builder: describeNode(node),
            property: node.property,
            fit: error === undefined,
            stages: stages.map((stage) => ({
                name: stage.name,
                ok: stage.error === undefined,
                milliseconds: Math.round(stage.milliseconds),
                detail: stage.detail,
            })),
            ...(facts && {
                version: facts.version,
                native: facts.native,
                platforms: facts.platforms,
                certificates: facts.certificates,
                notes: [...facts.notes, ...(cache?.notes ?? [])],
            }),
            ...(cache && { cache: { entries: cache.entries, bytes: cache.bytes, limitBytes: cache.limitBytes } }),
            ...describeError(error),
        })),
    };
    return `${JSON.stringify(document, undefined, 2)}\n`;
}

function describeError(error: MultiArchError | undefined): object {
    return error === undefined
        ? {}
        : { error: { code: error.code, what: error.fields.what, lines: error.fields.lines ?? [], next: error.next } };
}

function writeTools(tools: readonly ToolReport[]): string[] {
    return [
        "this machine",
        ...tools.map(({ name, version, error }) => row(error === undefined, name, "", version)),
        ...tools.flatMap(({ error }) => explain(error)),
    ];
}

function writeBuilder({ node, stages, facts, cache, error }: BuilderReport): string[] {
    const notes = [...(facts?.notes ?? []), ...(cache?.notes ?? [])];
    return [
        `${node.platform}  ${describeNode(node)}`,
        ...stages.map(writeStage),
        ...(cache ? [row(true, "cache", "", describeCache(cache.entries, cache.bytes, cache.limitBytes))] : []),
        ...notes.map((note) => `  note  ${note}`),
        ...explain(error),
    ];
}

function writeStage({ name, milliseconds, detail, error }: Stage): string {
    return row(error === undefined, name, `${Math.round(milliseconds)} ms`, detail);
}

function row(ok: boolean, name: string, time: string, detail: string): string {
    return `  ${ok ? "ok  " : "FAIL"}  ${name.padEnd(9)}${time.padStart(8)}  ${detail}`.trimEnd();
}

function describeCache(entries: number, bytes: number, limitBytes: number | undefined): string {
    const limit = limitBytes === undefined ? "without a limit" : `of ${gibibytes(limitBytes)}`;
    return `${gibibytes(bytes)} ${limit}, in ${entries === 1 ? "1 entry" : `${entries} entries`}`;
}

function gibibytes(bytes: number): string {
    return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

/** What is wrong, without what the heading says already. */
function explain(error: MultiArchError | undefined): string[] {
    if (error === undefined) {
        return [];
    }
    const lines = (error.fields.lines ?? []).map((line) => `        | ${line}`);
    return [`        ${error.fields.what} [${error.code}]`, ...lines, `        next: ${error.next}`];
}

function writeSummary(tools: readonly ToolReport[], builders: readonly BuilderReport[]): string[] {
    const fit = builders.filter(({ error }) => error === undefined);
    const missing = tools.filter(({ error }) => error !== undefined).map(({ name }) => name);
    const platforms = [...new Set(builders.map(({ node }) => node.platform))];
    const without = platforms.filter((platform) => !fit.some(({ node }) => node.platform === platform));
    return [
        fit.length === builders.length
            ? `All builders are fit: ${builders.length} of ${builders.length}.`
            : `Fit builders: ${fit.length} of ${builders.length}.`,
        ...(without.length > 0 ? [`Without a fit builder: ${without.join(", ")}.`] : []),
        ...(missing.length > 0 ? [`Missing on this machine: ${missing.join(", ")}.`] : []),
    ];
}
