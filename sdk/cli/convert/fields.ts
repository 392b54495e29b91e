/**
 * Reads one record of CSV the way Go does, and buildx with it: a field that begins with a quote ends with one, and two of
 * them in it are one. https://github.com/tonistiigi/go-csvvalue
 */
export function readCsv(text: string): string[] {
    const fields: string[] = [];
    let rest = text;
    for (;;) {
        const quoted = /^"((?:[^"]|"")*)"(?=,|$)/.exec(rest);
        const field = quoted ? quoted[0] : (/^[^,]*/.exec(rest)?.[0] ?? "");
        fields.push(quoted ? (quoted[1] ?? "").replaceAll('""', '"') : field);
        rest = rest.slice(field.length);
        if (rest === "") {
            return fields;
        }
        rest = rest.slice(1);
    }
}

/** Attributes such as `type=registry,ref=x`. A field without an equals sign has the value undefined. */
export type Attributes = ReadonlyMap<string, string | undefined>;

/** Reads a record of `name=value` fields. */
export function readAttributes(text: string): Attributes {
    return new Map(
        readCsv(text).map((field) => {
            const [name, value] = cut(field, "=");
            return [name.trim().toLowerCase(), value] as const;
        }),
    );
}

/** The text before the first separator, and the text behind it if there is one. */
export function cut(text: string, separator: string): [string, string | undefined] {
    const at = text.indexOf(separator);
    return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}

/** Reads `name=value` texts into a record. Those without an equals sign are handed to `missing`. */
export function readPairs(texts: readonly string[], missing: (name: string) => void): Record<string, string> {
    const pairs: [string, string][] = [];
    for (const text of texts) {
        const [name, value] = cut(text, "=");
        if (value === undefined) {
            missing(name);
        } else {
            pairs.push([name, value]);
        }
    }
    return Object.fromEntries(pairs);
}
