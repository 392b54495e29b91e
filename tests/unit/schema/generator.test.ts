import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const library = resolve(__dirname, "../../../tools/lib/schema");

interface Generator {
    describeResources(root: string, packageName: string, classes: Record<string, string>): Described;
}

interface Described {
    types: Record<string, unknown>;
    resources: Record<string, { inputProperties: Record<string, unknown> } & Record<string, unknown>>;
}

interface Comparison {
    listDifferences(before: unknown, after: unknown): string[];
}

describe("the schema generator", () => {
    let folder: string;
    let generator: Generator;

    before(async () => {
        // A script in tools is an ES module: only import() reaches it from here.
        generator = (await import(pathToFileURL(join(library, "package.mjs")).href)) as Generator;
        folder = await mkdtemp(join(tmpdir(), "schema-"));
        await writeFile(join(folder, "other.ts"), other);
    });

    after(() => rm(folder, { recursive: true }));

    async function describeThing(source: string): Promise<Described> {
        await writeFile(join(folder, "thing.ts"), source);
        return generator.describeResources(folder, "pkg", { Thing: "thing.ts" });
    }

    async function describeInput(declaration: string): Promise<unknown> {
        const { resources } = await describeThing(withInput(declaration));
        return resources["pkg:index:Thing"]?.inputProperties.x;
    }

    const mapped: [declaration: string, expected: object][] = [
        ["/** X. */ x: Input<string>;", { type: "string" }],
        ["/** X. */ x: pulumi.Input<boolean>;", { type: "boolean" }],
        ["/** X. */ x: In<number>;", { type: "number" }],
        ["/** X. @integer */ x: Input<number>;", { type: "integer" }],
        ["/** X. */ x: Input<Input<string>[]>;", { type: "array", items: { type: "string" } }],
        [
            "/** X. */ x: Input<Record<string, Input<string>>>;",
            { type: "object", additionalProperties: { type: "string" } },
        ],
        ["/** X. @plain */ x: string[];", { type: "array", items: { type: "string", plain: true }, plain: true }],
        ["/** X. @plain */ x: Input<string>[];", { type: "array", items: { type: "string" }, plain: true }],
        ["/** X. @secret */ x: Input<string>;", { type: "string", secret: true }],
        ["/** X. @replaces */ x: Input<string>;", { type: "string", willReplaceOnChanges: true }],
        ["/** X. */ x?: Input<string> | undefined;", { type: "string" }],
        ["/** X. */ x: Input<LeafArgs>;", { $ref: "#/types/pkg:index:Leaf" }],
    ];
    for (const [declaration, expected] of mapped) {
        it(`maps ${declaration}`, async () => {
            assert.deepEqual(await describeInput(declaration), { ...expected, description: "X." });
        });
    }

    it("describes inputs, outputs and the types they use", async () => {
        const { types, resources } = await describeThing(whole);
        assert.deepEqual(types, {
            "pkg:index:Leaf": {
                description: "A leaf.",
                properties: {
                    again: { type: "array", items: { $ref: "#/types/pkg:index:Leaf" }, description: "More." },
                },
                type: "object",
            },
            "pkg:index:Mode": {
                description: "How.",
                type: "string",
                enum: [{ description: "Quickly.", value: "fast" }, { value: "slow" }],
            },
            "pkg:index:Nothing": { description: "Nothing.", type: "object" },
        });
        assert.deepEqual(resources["pkg:index:Thing"], {
            description: "A thing.",
            properties: {
                digest: { type: "string", description: "What the interface says." },
                note: { type: "string", description: "Not always there." },
            },
            required: ["digest"],
            inputProperties: {
                leaf: { $ref: "#/types/pkg:index:Leaf", description: "From the base." },
                mode: { $ref: "#/types/pkg:index:Mode", description: "How." },
                nothing: { $ref: "#/types/pkg:index:Nothing", description: "None." },
            },
            requiredInputs: ["leaf", "nothing"],
            isComponent: true,
        });
    });

    const refused: [declaration: string, reason: RegExp][] = [
        ["/** X. */ x: Input<any>;", /unsupported type "any"/],
        ["/** X. */ x: Input<unknown>;", /unsupported type "unknown"/],
        ["/** X. */ x: Input<string | number>;", /unsupported type "string \| number"/],
        ['/** X. */ x: Input<"a" | "b">;', /unsupported type ""a" \| "b""/],
        ["/** X. */ x: Input<string | null>;", /unsupported type "string \| null"/],
        ["/** X. */ x: Input<{ y: string }>;", /unsupported type "{ y: string }"/],
        ["/** X. */ x: Input<[string]>;", /unsupported type "\[string\]"/],
        ["/** X. */ x: Input<Date>;", /unsupported type "Date"/],
        ["/** X. */ x: Input<Record<number, string>>;", /unsupported type "Record<number, string>"/],
        ["/** X. */ x: Input<pulumi.Output<string>>;", /unsupported type "pulumi.Output<string>"/],
        ["/** X. */ x: Input<Missing>;", /unsupported type "Missing"/],
        ["/** X. */ x: Input<Gone>;", /cannot find where "Gone" is declared/],
        ["/** X. */ x: string;", /"x" needs Input<\.\.\.> or the tag @plain, not "string"/],
        ["/** X. @plain */ x: Input<string>;", /a @plain property takes no Input/],
        ["/** X. @integer */ x: Input<string>;", /"x" is tagged @integer and has no number/],
        ["/** X. @secrect */ x: Input<string>;", /@secrect is not one of the tags/],
        ["/** X, like {@link Y}. */ x: Input<string>;", /inline tags such as {@link}/],
        ["x: Input<string>;", /"x" has no doc comment/],
        ["/** X. */ x(): string;", /unsupported member "x\(\): string;"/],
        ["[key: string]: Input<string>;", /unsupported member/],
        ["/** X. */ x: Input<Thing>;", /"Thing" would be pkg:index:Thing, which something else is already/],
    ];
    for (const [declaration, reason] of refused) {
        it(`refuses ${declaration} with file and line`, async () => {
            await assert.rejects(describeInput(declaration), (error: Error) => {
                assert.match(error.message, /thing\.ts:6: /);
                assert.match(error.message, reason);
                return true;
            });
        });
    }

    it("refuses a field of a resource that is not an output", async () => {
        const source = withInput("/** X. */ x: Input<string>;").replace(
            "constructor",
            "private helper = 1;\nconstructor",
        );
        await assert.rejects(describeThing(source), /thing\.ts:\d+: every field of a resource is an output/);
    });

    it("refuses a resource that does not extend the class of the SDK itself", async () => {
        const source = withInput("/** X. */ x: Input<string>;").replace("pulumi.CustomResource", "Base");
        await assert.rejects(describeThing(source), /a resource extends ComponentResource or CustomResource itself/);
    });
});

describe("the comparison of schemas", () => {
    let comparison: Comparison;

    before(async () => {
        comparison = (await import(pathToFileURL(join(library, "compare.mjs")).href)) as Comparison;
    });

    it("finds nothing between equal values", () => {
        assert.deepEqual(comparison.listDifferences({ a: { b: [1] } }, { a: { b: [1] } }), []);
    });

    it("names the path of what was added, removed and changed", () => {
        const before = { a: { old: 1, same: 2, list: ["x"] } };
        const after = { a: { same: 2, list: ["y"], more: true } };
        assert.deepEqual(comparison.listDifferences(before, after), [
            "- a > old: 1",
            '- a > list: ["x"]',
            '+ a > list: ["y"]',
            "+ a > more: true",
        ]);
    });

    it("notices another order of keys", () => {
        assert.deepEqual(comparison.listDifferences({ a: 1, b: 2 }, { b: 2, a: 1 }), ["  the order of the keys"]);
    });
});

const other = `
import * as pulumi from "@pulumi/pulumi";

/** A leaf. */
export interface LeafArgs {
    /** More. */
    again?: pulumi.Input<LeafArgs[]>;
}

export interface BaseArgs {
    /** From the base. */
    leaf: pulumi.Input<LeafArgs>;
}
`;

const whole = `
import * as pulumi from "@pulumi/pulumi";
import type { BaseArgs as Inherited } from "./other";

/** How. */
export type Mode =
    /** Quickly. */
    | "fast"
    | "slow";

/** Nothing. */
export interface NothingArgs {}

export interface ThingArgs extends Inherited {
    /** How. */
    mode?: pulumi.Input<Mode>;
    /** None. */
    nothing: pulumi.Input<NothingArgs>;
}

export interface ThingOutputs {
    /** What the interface says. */
    readonly digest: pulumi.Output<string>;
}

/** A thing. */
export class Thing extends pulumi.ComponentResource implements ThingOutputs {
    private static readonly count = 0;
    declare public readonly digest: pulumi.Output<string>;
    /** Not always there. */
    declare public readonly note: pulumi.Output<string | undefined>;
    constructor(name: string, args: ThingArgs, opts?: pulumi.ComponentResourceOptions) {
        super("pkg:index:Thing", name, args, opts);
    }
}
`;

/** A resource with one input, which stands in line 6. */
function withInput(declaration: string): string {
    return `import * as pulumi from "@pulumi/pulumi";
import type { Input, Input as In } from "@pulumi/pulumi";
import type { LeafArgs } from "./other";
import type { Gone } from "./gone";
export interface ThingArgs {
    ${declaration}
}
/** A thing. */
export class Thing extends pulumi.CustomResource {
    constructor(name: string, args: ThingArgs, opts?: pulumi.CustomResourceOptions) {
        super("pkg:index:Thing", name, args, opts);
    }
}
`;
}
