const secretPattern =
    /(^|[_-])(token|password|passwd|passphrase|secret|secrets|key|apikey|credential|credentials|auth)([_-]|$)/i;

/** True for a name that people give to secrets, for example `NPM_TOKEN` or `API_KEY`. */
export function looksSecret(name: string): boolean {
    return secretPattern.test(name) && !/(^|[_-])(public|pub)[_-]/i.test(name);
}

/** The name of a setting for something: `NPM_TOKEN` becomes `npmToken`. */
export function settingName(text: string): string {
    const words = text.split(/[^A-Za-z0-9]+/).map((word) => (/^[A-Z0-9]+$/.test(word) ? word.toLowerCase() : word));
    const name = camelCase(words);
    return reservedNames.has(name) ? `${name}Value` : name;
}

/** Words as one name that a variable can have. */
export function camelCase(words: readonly string[]): string {
    const [first = "", ...others] = words.filter((word) => word !== "");
    const rest = others.map((word) => word.charAt(0).toUpperCase() + word.slice(1));
    const name = [first.charAt(0).toLowerCase() + first.slice(1), ...rest].join("");
    return /^[A-Za-z]/.test(name) ? name : `value${name}`;
}

// https://262.ecma-international.org/16.0/#prod-ReservedWord, and names of a CommonJS module
const keywords = [
    ...["await", "break", "case", "catch", "class", "const", "continue", "debugger", "default", "delete", "do", "else"],
    ...["enum", "export", "extends", "false", "finally", "for", "function", "if", "import", "in", "instanceof", "new"],
    ...["null", "return", "super", "switch", "this", "throw", "true", "try", "typeof", "var", "void", "while", "with"],
    ...["let", "static", "yield", "implements", "interface", "package", "private", "protected", "public", "arguments"],
    ...["eval", "undefined", "NaN", "Infinity", "module", "exports", "require", "process", "global"],
];

/** Names that a generated program has for something else, or that no variable can have. */
export const reservedNames: ReadonlySet<string> = new Set([
    ...["pulumi", "config", "tls", "builders", "MultiArchImage"],
    ...["builderCa", "builderCert", "builderKey"],
    ...["indexDigest", "ref", "contentHash"],
    ...keywords,
]);
