import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { join, posix } from "node:path";
import fc from "fast-check";

import { listContext } from "../../sdk/context/list";
import type { ContextEntry, HashRequest } from "../../sdk/context/request";
import { MultiArchError } from "../../sdk/errors";
import { dockerfileCases, ignoreCases } from "../support/contextCases";
import { type ContextReceiver, copyEverything, createReceiver } from "../support/receivedContext";
import { getWorld } from "../support/world";
import { addTo, createFolders, type Tree } from "../unit/context/folders";

/** Another seed gives other trees. */
const generated = { builds: 16, contextsInEach: 8, seed: Number(process.env["CONTEXT_SEED"] ?? 1) };

/** The list of what is hashed is what BuildKit is sent. A real builder says what it received. */
describe("what is hashed of a context is what a builder receives of", () => {
    const folders = createFolders();
    let receiver: ContextReceiver;

    before(async function () {
        this.timeout(300_000);
        receiver = await createReceiver((await getWorld()).builders.amd64);
    });
    after(() => {
        receiver.remove();
        folders.remove();
    });

    /** Builds once, and gives for each context what is hashed and what was received. */
    async function compare(
        location: string,
        dockerfile: string | undefined,
        named: Readonly<Record<string, string>> = {},
    ): Promise<Map<string, { hashed: ContextEntry[]; received: ContextEntry[] }>> {
        const request: HashRequest = {
            context: {
                location,
                named: Object.fromEntries(Object.entries(named).map(([name, path]) => [name, { location: path }])),
            },
            dockerfile: { location: dockerfile },
        };
        const received = await receiver.receive({ context: location, dockerfile, named });
        const answers = Object.entries(received).map(async ([name, entries]) => {
            const hashed = await listContext(request, name === "main" ? undefined : name);
            return [name, { hashed: sort(hashed), received: sort(entries) }] as const;
        });
        return new Map(await Promise.all(answers));
    }

    describe("a folder", () => {
        let answers: Awaited<ReturnType<typeof compare>>;

        before(async function () {
            this.timeout(120_000);
            const named = ignoreCases.map(({ tree, prepare }, index) => {
                const root = folders.make(tree);
                prepare?.(root);
                return [`case${index}`, root] as const;
            });
            const context = folders.make({ Dockerfile: copyEverything(named.map(([name]) => name)) });
            answers = await compare(context, undefined, Object.fromEntries(named));
        });

        for (const [index, { title }] of ignoreCases.entries()) {
            it(title, () => {
                const { hashed, received } = answers.get(`case${index}`) ?? {};
                assert.ok(received);
                assert.deepEqual(hashed, received);
            });
        }
    });

    describe("a main context", () => {
        for (const { title, tree, dockerfile, byDefault, link } of dockerfileCases) {
            it(title, async function () {
                this.timeout(60_000);
                const base = folders.make({ context: null });
                addTo(join(base, "context"), { ...tree, [dockerfile]: copyEverything() });
                if (link) {
                    symlinkSync("context", join(base, link));
                }
                const context = join(base, link ?? "context");
                const answer = await compare(context, byDefault ? undefined : join(context, dockerfile));
                assert.deepEqual(answer.get("main")?.hashed, answer.get("main")?.received);
            });
        }
    });

    it("any tree with any ignore file", async function () {
        this.timeout(300_000);
        let telling = 0;
        const { builds, contextsInEach, seed } = generated;
        const cases = fc.sample(trees, { seed, numRuns: builds * contextsInEach });
        for (let build = 0; build < builds; build++) {
            const [main = {}, ...others] = cases.splice(0, contextsInEach);
            const named = others.map((tree, index) => [`tree${index}`, folders.make(tree)] as const);
            const dockerfile = copyEverything(named.map(([name]) => name));
            const context = folders.make({ ...main, Dockerfile: dockerfile });
            const answers = await compare(context, undefined, Object.fromEntries(named));
            for (const [name, { hashed, received }] of answers) {
                const tree = (name === "main" ? main : others[Number(name.slice("tree".length))]) ?? {};
                assert.deepEqual(hashed, received, JSON.stringify(tree, undefined, 4));
                telling += isTelling(tree, hashed) ? 1 : 0;
            }
        }
        assert.ok(telling > (builds * contextsInEach) / 4, `only ${telling} trees tell something`);
    });

    it("no folder with a pattern that the builder refuses", async function () {
        this.timeout(120_000);
        for (const pattern of ["!", "! /", "!//", "[a", "a[]b", "[b-]", "a\\", "b/[^]"]) {
            const context = folders.make({ Dockerfile: copyEverything(), ".dockerignore": `a\n${pattern}\n` });
            await assert.rejects(receiver.receive({ context, dockerfile: undefined }), /pattern/, pattern);
            await assert.rejects(
                listContext({ context: { location: context } }),
                (error) => error instanceof MultiArchError && error.code === "context-ignore-invalid",
                pattern,
            );
        }
    });
});

const names = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom("a", "b", "ab", "c.txt") },
    { weight: 1, arbitrary: fc.constantFrom("A", ".hidden", "sp ace", "\u00e9", "[x]", "*", "d-e") },
);
const paths = fc.array(names, { minLength: 1, maxLength: 4, size: "max" }).map((parts) => parts.join("/"));
const contents = fc.oneof(
    { weight: 8, arbitrary: fc.constant("") },
    { weight: 1, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: paths.map((link) => ({ link })) },
);
const patternParts = fc.oneof(
    { weight: 5, arbitrary: names.map((name) => name.replace(/[[\]*]/g, "\\$&")) },
    { weight: 4, arbitrary: fc.constantFrom("*", "**", "a*", "*b", "*.txt", "?", "[a-c]*", "[^a]", "**b", "a**") },
    { weight: 1, arbitrary: fc.constantFrom(".", "..", "") },
);
const rules = fc
    .tuple(fc.integer({ min: 0, max: 2 }), fc.array(patternParts, { minLength: 1, maxLength: 3 }))
    .map(([kind, parts]) => {
        // An exclamation mark with nothing but the root is refused.
        const pattern = parts.join("/");
        return posix.normalize(`/${pattern}/`) === "/" ? "x" : `${kind === 0 ? "!" : ""}${pattern}`;
    });

/** Trees with an ignore file. A path that is a file in one place is no folder in another. */
const trees: fc.Arbitrary<Tree> = fc
    .tuple(
        fc.uniqueArray(fc.tuple(paths, contents), {
            minLength: 10,
            maxLength: 25,
            size: "max",
            selector: ([path]) => path,
        }),
        fc.array(rules, { minLength: 1, maxLength: 4 }),
    )
    .map(([entries, lines]) => {
        const free = entries.filter(([path]) => !entries.some(([other]) => other.startsWith(`${path}/`)));
        return { ...Object.fromEntries(free), ".dockerignore": lines.join("\n") };
    });

/** Whether some of a tree is ignored, and some is not: all or nothing would prove little. */
function isTelling(tree: Tree, hashed: readonly ContextEntry[]): boolean {
    const kept = Object.keys(tree).filter((path) => hashed.some((entry) => entry.path === path)).length;
    return kept > 1 && kept < Object.keys(tree).length - 1;
}

function sort(entries: readonly ContextEntry[]): ContextEntry[] {
    return [...entries].sort((one, other) => (one.path < other.path ? -1 : 1));
}
