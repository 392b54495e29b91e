import assert from "node:assert/strict";
import { readdirSync, rmSync } from "node:fs";
import fc from "fast-check";
import { hashContext } from "../../../sdk/context/hash";
import { listContext } from "../../../sdk/context/list";
import type { Tree } from "./folders";
import { addTo, createFolders } from "./folders";

const names = fc.constantFrom("a", "b", "ab", "c.txt", "d");
const paths = fc.array(names, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
/** Files that do not stand in each other's way: a path that is also a folder is left out. */
const trees = fc.uniqueArray(paths, { maxLength: 12 }).chain((list) => {
    const free = list.filter((path) => !list.some((other) => other.startsWith(`${path}/`)));
    return fc
        .tuple(...free.map((path) => fc.tuple(fc.constant(path), fc.string({ maxLength: 4 }))))
        .map((entries) => new Map(entries));
});
const patterns = fc
    .array(fc.constantFrom("a", "b", "ab", "c.txt", "d", "*", "**", "a*", "*.txt", "?"), { minLength: 1, maxLength: 3 })
    .map((parts) => parts.join("/"));

/** A slow reference: name by name. Two asterisks at the end stand for one name or more, elsewhere for any number. */
function fits(pattern: readonly string[], path: readonly string[]): boolean {
    const [first, ...rest] = pattern;
    if (first === undefined) {
        return path.length === 0;
    }
    if (first === "**") {
        return rest.length === 0 ? path.length > 0 : [...path, ""].some((_, skip) => fits(rest, path.slice(skip)));
    }
    return path[0] !== undefined && fitsName(first, path[0]) && fits(rest, path.slice(1));
}

function fitsName(pattern: string, name: string): boolean {
    if (pattern === "" || name === "") {
        return pattern === name || (name === "" && pattern === "*");
    }
    if (pattern.startsWith("*")) {
        return fitsName(pattern.slice(1), name) || fitsName(pattern, name.slice(1));
    }
    return ["?", name.charAt(0)].includes(pattern.charAt(0)) && fitsName(pattern.slice(1), name.slice(1));
}

describe("for any tree, a context", () => {
    const folders = createFolders();
    after(() => {
        folders.remove();
    });

    const make = (files: ReadonlyMap<string, string>, more: Tree = {}): string =>
        folders.make({ ...Object.fromEntries(files), ...more, Dockerfile: "FROM scratch" });
    const hash = async (location: string): Promise<string> => (await hashContext({ context: { location } })).digest;

    it("without ignore file lists all that is in the folder", async () => {
        await fc.assert(
            fc.asyncProperty(trees, async (files) => {
                const root = make(files);
                const listed = (await listContext({ context: { location: root } })).map(({ path }) => path);
                assert.deepEqual(listed.sort(), readdirSync(root, { recursive: true, encoding: "utf8" }).sort());
                rmSync(root, { recursive: true });
            }),
            { numRuns: 50 },
        );
    });

    it("with patterns and no exceptions lists each entry that no pattern fits, nor a folder above it", async () => {
        const property = fc.asyncProperty(trees, fc.array(patterns, { maxLength: 3 }), async (files, ignored) => {
            const root = make(files, { ".dockerignore": ignored.join("\n") });
            const listed = (await listContext({ context: { location: root } })).map(({ path }) => path);
            const kept = (path: string): boolean =>
                !path
                    .split("/")
                    .some((_, depth, parts) =>
                        ignored.some((pattern) => fits(pattern.split("/"), parts.slice(0, depth + 1))),
                    );
            const expected = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(kept);
            assert.deepEqual(listed.sort(), expected.sort());
            rmSync(root, { recursive: true });
        });
        await fc.assert(property, { numRuns: 150 });
    });

    it("hashes equal exactly when the files are", async () => {
        const property = fc.asyncProperty(trees, trees, async (one, other) => {
            const sorted = (files: ReadonlyMap<string, string>): string => JSON.stringify([...files].sort());
            const roots = [make(one), make(other), make(new Map([...one].reverse()))];
            const [first, second, again] = await Promise.all(roots.map(hash));
            assert.equal(first === second, sorted(one) === sorted(other));
            assert.equal(first, again);
            for (const root of roots) {
                rmSync(root, { recursive: true });
            }
        });
        await fc.assert(property, { numRuns: 50 });
    });

    it("changes its hash with one more byte in any file that is listed, and with none that is not", async function () {
        // Each example hashes a folder twice; on a busy machine that adds up.
        this.timeout(60_000);
        const property = fc.asyncProperty(
            trees,
            fc.array(fc.tuple(fc.boolean(), patterns), { maxLength: 3 }),
            fc.nat(),
            async (files, lines, choice) => {
                const path = [...files.keys()][choice % Math.max(files.size, 1)];
                if (path === undefined) {
                    return;
                }
                const rules = lines.map(([exception, pattern]) => `${exception ? "!" : ""}${pattern}`);
                const root = make(files, { ".dockerignore": rules.join("\n") });
                const listed = (await listContext({ context: { location: root } })).some(
                    (entry) => entry.path === path,
                );
                const before = await hash(root);
                addTo(root, { [path]: `${files.get(path) ?? ""}x` });
                assert.equal((await hash(root)) !== before, listed);
                rmSync(root, { recursive: true });
            },
        );
        await fc.assert(property, { numRuns: 50 });
    });
});
