/** Replaces every secret in a text. */
export type Redactor = (text: string) => string;

/** What stands in a text where a secret was; the same word the Pulumi engine prints. */
export const redacted = "[secret]";

// The engine's own filter leaves shorter values alone too: replacing every "a" hides nothing and ruins the text.
// https://github.com/pulumi/pulumi/blob/v3.259.0/sdk/go/common/util/logging/log.go
const shortestSecret = 3;
// One line of a key or a JSON document may appear alone, because output is handled by line. Below this length a
// line is likely to be punctuation.
const shortestSecretLine = 8;

/**
 * Makes a function that replaces each of the secrets, and each longer line of those with several lines. White space
 * around a secret does not count: a file ends with a line break that the output does not have.
 */
export function createRedactor(secrets: readonly string[]): Redactor {
    const values = new Set<string>();
    for (const secret of secrets) {
        const value = secret.trim();
        if (value.length >= shortestSecret) {
            values.add(value);
        }
        for (const line of value.split(/\r?\n/).map((text) => text.trim())) {
            if (line.length >= shortestSecretLine) {
                values.add(line);
            }
        }
    }
    // The longest first: a secret may hold another one.
    const ordered = [...values].sort((a, b) => b.length - a.length);
    return (text) => ordered.reduce((rest, value) => rest.replaceAll(value, redacted), text);
}
