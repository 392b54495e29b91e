import eslint from "@eslint/js";
import tseslint from "typescript-eslint";

export default tseslint.config(
    { ignores: ["dist/", ".cache/", "node_modules/", "**/node_modules/"] },
    eslint.configs.recommended,
    {
        files: ["**/*.ts"],
        extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
        languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
        rules: {
            curly: ["error", "all"],
            eqeqeq: ["error", "always"],
            "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
            "@typescript-eslint/consistent-type-definitions": ["error", "interface"],
            "@typescript-eslint/no-unused-vars": ["error", { ignoreRestSiblings: true, argsIgnorePattern: "^_" }],
            "@typescript-eslint/dot-notation": ["error", { allowIndexSignaturePropertyAccess: true }],
            "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
            "max-lines": ["error", { max: 250, skipBlankLines: true, skipComments: true }],
        },
    },
    {
        // Only one file runs commands: argv and parsing stay pure, and secrets have one way out.
        files: ["sdk/**/*.ts"],
        ignores: ["sdk/build/exec.ts"],
        rules: {
            "no-restricted-imports": [
                "error",
                { paths: ["execa", "child_process", "node:child_process"], patterns: ["execa/*"] },
            ],
        },
    },
    {
        files: ["tests/**/*.ts"],
        rules: {
            // mocha's describe and it return promises nobody has to wait for.
            "@typescript-eslint/no-floating-promises": "off",
        },
    },
    {
        files: ["**/*.mjs", "**/*.cjs"],
        languageOptions: { globals: globalsOfNode() },
        rules: { "max-lines": ["error", { max: 250, skipBlankLines: true, skipComments: true }] },
    },
);

/** The few globals that the plain scripts use. */
function globalsOfNode() {
    const names = [
        "process",
        "console",
        "Buffer",
        "URL",
        "URLSearchParams",
        "setTimeout",
        "clearTimeout",
        "setInterval",
        "clearInterval",
        "setImmediate",
        "fetch",
        "AbortController",
        "AbortSignal",
        "require",
        "module",
        "__dirname",
        "TextDecoder",
        "TextEncoder",
        "performance",
        "structuredClone",
    ];
    return Object.fromEntries(names.map((name) => [name, "readonly"]));
}
