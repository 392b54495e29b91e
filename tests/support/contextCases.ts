import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Tree } from "../unit/context/folders";

/** A folder with an ignore file that is easy to get wrong. */
export interface IgnoreCase {
    /** Goes on after "a folder". */
    readonly title: string;
    readonly tree: Tree;
    /** Adds what a tree cannot say. */
    readonly prepare?: (root: string) => void;
}

/** The same names in the same depths, for patterns to choose from. */
const letters: Tree = {
    a: null,
    "a/x": "",
    "a/b/x": "",
    "a/b/keep.txt": "",
    "a/b/c/keep.txt": "",
    "a/empty": null,
    "ab/x": "",
    "b/a/x": "",
    "b/keep.txt": "",
    "c.txt": "",
    x: "",
};

function withRules(...lines: string[]): Tree {
    return { ...letters, ".dockerignore": lines.join("\n") };
}

export const ignoreCases: readonly IgnoreCase[] = [
    { title: "without an ignore file", tree: letters },
    { title: "whose ignore file has no pattern", tree: withRules("", "  ", "# comment", "#x") },
    { title: "with exceptions", tree: withRules("*", "!a/b/keep.txt", "!x") },
    { title: "with exceptions to exceptions", tree: withRules("a", "!a/b", "a/b/c", "!a/b/c/keep.txt", "a/b/x") },
    { title: "with an exception before the rule", tree: withRules("!a/x", "a", "!a/b/x") },
    { title: "with exceptions below a wildcard", tree: withRules("a/*", "!a/b", "b/**", "!b/a/x") },
    { title: "with wildcards in exceptions", tree: withRules("**", "!**/keep.txt", "!a/*") },
    { title: "with exceptions that end in wildcards", tree: withRules("a", "b", "!a/b/**", "!b/*") },
    { title: "with two asterisks at the start", tree: withRules("**/x") },
    { title: "with two asterisks at the end", tree: withRules("a/**") },
    { title: "with two asterisks within", tree: withRules("a/**/keep.txt", "b/**x") },
    { title: "with two asterisks beside a name", tree: withRules("a**", "**t") },
    { title: "with two asterisks alone", tree: withRules("**", "!ab") },
    { title: "with a trailing slash", tree: withRules("a/b/", "x/", "ab//") },
    { title: "with a leading slash", tree: withRules("/a/x", "//b/a", "!/c.txt") },
    { title: "with dots in patterns", tree: withRules("./a/x", "a/../b/a", "../c.txt", "a/./empty") },
    { title: "with the root as pattern", tree: withRules("/", ".", "!x") },
    { title: "with question marks and sets", tree: withRules("?", "[a-b]b", "a/[^x]", "!b/?") },
    { title: "with spaces around patterns", tree: withRules("  a/x  ", "\tx", "!  b/a", "c.txt \r") },
    { title: "whose ignore file starts with a byte order mark", tree: withRules("\ufeffx", "c.txt") },
    { title: "with parts of expressions in patterns", tree: withRules("a{1}b*", "x|c.txt*", "\\d*") },
    { title: "wholly ignored", tree: withRules("*") },
    { title: "wholly ignored, ignore file included", tree: withRules("**", ".dockerignore", ".*") },
    {
        title: "with names in two cases",
        tree: { ".dockerignore": "readme\n!KEEP\n*.TXT", README: "", readme: "", keep: "", KEEP: "", "a.txt": "" },
    },
    {
        title: "with folders that are empty, and some that rules make empty",
        tree: { ".dockerignore": "b\nc/*\nd/**\ne/x\n", a: null, "b/x": "", "c/x": "", "d/x/y": "", "e/x/y": "" },
    },
    {
        title: "with links",
        tree: {
            ".dockerignore": "ignored\nfolder/x\ntoFolder/y\ntoIgnored/z",
            "folder/x": "",
            "folder/y": "",
            "ignored/z": "",
            toFile: { link: "folder/y" },
            toFolder: { link: "folder" },
            toIgnored: { link: "ignored" },
            toRoot: { link: "/etc/passwd" },
            outside: { link: "../../outside" },
            dangling: { link: "nowhere" },
            circle: { link: "circle" },
        },
    },
    {
        title: "whose ignore file is a link within it",
        tree: { ".dockerignore": { link: "a/rules" }, "a/rules": "x", x: "", y: "" },
    },
    {
        title: "whose ignore file is a link that leads out of it",
        tree: { ".dockerignore": { link: "../../../rules" }, x: "" },
    },
    {
        title: "whose ignore file is a folder",
        tree: { ".dockerignore/x": "x", x: "" },
    },
    {
        title: "with names that look like patterns",
        tree: {
            ".dockerignore": "\\*\n[[]b]\n\\!c\n\\#d\ne\\ f\n",
            "*": "",
            "**": "",
            "[b]": "",
            "!c": "",
            "#d": "",
            "e f": "",
            "g\\h": "",
            "-i": "",
        },
    },
    {
        title: "with odd names",
        tree: {
            ".dockerignore": "caf\u00e9\n\u{1f600}*\n",
            "caf\u00e9": "",
            "cafe\u0301": "",
            "\u{1f600}.txt": "",
            "\uff3a": "",
            "\u2028": "",
            "new\nline": "",
            "tab\t": "",
            " space ": "",
            "dot.": "",
            "quote'\"": "",
            "\u001b[31m": "",
            ["long".repeat(60)]: "",
            [`${"deep/".repeat(40)}x`]: "",
        },
    },
    {
        title: "with a pipe",
        tree: { ".dockerignore": "ignored", file: "" },
        prepare: (root) => {
            execFileSync("mkfifo", [join(root, "pipe"), join(root, "ignored")]);
        },
    },
    {
        title: "with a name that is not UTF-8",
        tree: { file: "" },
        prepare: (root) => {
            writeFileSync(Buffer.concat([Buffer.from(join(root, "name")), Buffer.from([0xff])]), "");
        },
    },
    {
        title: "with hard links",
        tree: { ".dockerignore": "b", a: "x" },
        prepare: (root) => {
            execFileSync("ln", [join(root, "a"), join(root, "b")]);
            execFileSync("ln", [join(root, "a"), join(root, "c")]);
        },
    },
];

/** A main context: its Dockerfile and where that is decide which ignore file counts. */
export interface DockerfileCase {
    /** Goes on after "a main context". */
    readonly title: string;
    readonly tree: Tree;
    /** Where the Dockerfile is, from the context; in `named` places it need not be told. */
    readonly dockerfile: string;
    /** True when the program does not say where it is. */
    readonly byDefault?: boolean;
    /** Where the context is reached, beside it. */
    readonly link?: string;
}

export const dockerfileCases: readonly DockerfileCase[] = [
    {
        title: "with an ignore file for its Dockerfile, which takes the place of the other",
        tree: { ".dockerignore": "a", "Dockerfile.dockerignore": "b\n!b/x", a: "", "b/x": "", "b/y": "" },
        dockerfile: "Dockerfile",
        byDefault: true,
    },
    {
        title: "with an ignore file for its Dockerfile that has no patterns",
        tree: { ".dockerignore": "a", "Dockerfile.dockerignore": "# all", a: "" },
        dockerfile: "Dockerfile",
    },
    {
        title: "whose Dockerfile and ignore file are in a folder of it, where patterns still start at its root",
        tree: { ".dockerignore": "a", "docker/app.dockerignore": "b\nx", a: "", b: "", "docker/b": "", x: "" },
        dockerfile: "docker/app",
    },
    {
        title: "whose Dockerfile is outside of it, with an ignore file beside",
        tree: { ".dockerignore": "a", "../app.dockerignore": "b", a: "", b: "" },
        dockerfile: "../app",
    },
    {
        title: "that ignores its Dockerfile",
        tree: { ".dockerignore": "Dockerfile\n.dockerignore", a: "" },
        dockerfile: "Dockerfile",
        byDefault: true,
    },
    {
        title: "that ignores everything",
        tree: { ".dockerignore": "**", a: "" },
        dockerfile: "Dockerfile",
    },
    {
        title: "with a Dockerfile in lower case and an ignore file for it",
        tree: { "dockerfile.dockerignore": "a", a: "", b: "" },
        dockerfile: "dockerfile",
        byDefault: true,
    },
    {
        title: "that is reached through a link",
        tree: { ".dockerignore": "a", a: "", b: { link: "a" } },
        dockerfile: "Dockerfile",
        byDefault: true,
        link: "link",
    },
];
