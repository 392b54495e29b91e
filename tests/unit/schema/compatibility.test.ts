import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = join(__dirname, "..", "..", "fixtures", "upgrade", "schemas");

interface Schema {
    readonly resources: Record<string, Shape>;
    readonly types: Record<string, Shape>;
}

interface Shape {
    readonly properties?: Record<string, Type>;
    readonly required?: string[];
    readonly inputProperties?: Record<string, Type>;
    readonly requiredInputs?: string[];
    readonly enum?: { value: string }[];
}

interface Type {
    readonly type?: string;
    readonly $ref?: string;
    readonly plain?: boolean;
    readonly items?: Type;
    readonly additionalProperties?: Type;
}

/** Programs written for an earlier version must still be right. A new optional input is fine; what was there stays. */
describe("the schema of an earlier version", () => {
    const current = readSchema("schema.json");

    for (const name of readdirSync(folder)) {
        it(`${name.replace(/\.json$/, "")} is kept: nothing is missing, retyped or newly required`, () => {
            assert.deepEqual(findBreaks(readSchema(join(folder, name)), current), []);
        });
    }

    it("would be broken by a missing input, another type, or a new required one", () => {
        const [resource = ""] = Object.keys(current.resources);
        const shape = current.resources[resource];
        assert.ok(shape?.inputProperties);
        const [[first] = [""], [second] = [""], ...others] = Object.entries(shape.inputProperties);
        const inputProperties = { ...Object.fromEntries(others), [second]: { type: "object" } };
        const requiredInputs = [...(shape.requiredInputs ?? []), "new"];
        const broken = { ...current, resources: { [resource]: { ...shape, inputProperties, requiredInputs } } };
        const breaks = findBreaks(current, broken);
        for (const problem of [`${first} is missing`, `${second} has another type`, "new is required now"]) {
            assert.ok(
                breaks.some((text) => text.includes(problem)),
                `${problem} is among ${breaks.join(", ")}`,
            );
        }
    });
});

function findBreaks(old: Schema, next: Schema): string[] {
    return (["resources", "types"] as const).flatMap((group) =>
        Object.entries(old[group]).flatMap(([token, shape]) => {
            const now = next[group][token];
            return now === undefined ? [`${token} is missing`] : compareShapes(token, shape, now);
        }),
    );
}

function compareShapes(token: string, old: Shape, next: Shape): string[] {
    const values = (old.enum ?? []).filter(({ value }) => !(next.enum ?? []).some((item) => item.value === value));
    return [
        ...values.map(({ value }) => `${token}: ${value} is missing`),
        ...compareProperties(token, old.properties, next.properties),
        ...compareProperties(`${token} inputs`, old.inputProperties, next.inputProperties),
        ...findRequired(`${token} inputs`, old.requiredInputs, next.requiredInputs),
        // What a type requires, a program has to give. What a resource requires there is only what it gives back.
        ...(old.inputProperties === undefined ? findRequired(token, old.required, next.required) : []),
    ];
}

function compareProperties(place: string, old: Record<string, Type> = {}, next: Record<string, Type> = {}): string[] {
    return Object.entries(old).flatMap(([name, type]) => {
        const now = next[name];
        if (now === undefined) {
            return [`${place}: ${name} is missing`];
        }
        return describeType(type) === describeType(now) ? [] : [`${place}: ${name} has another type`];
    });
}

function findRequired(place: string, old: string[] = [], next: string[] = []): string[] {
    return next.filter((name) => !old.includes(name)).map((name) => `${place}: ${name} is required now`);
}

function describeType({ type, $ref, plain, items, additionalProperties }: Type): string {
    const inner = items ?? additionalProperties;
    return `${$ref ?? type ?? ""}${plain === true ? " plain" : ""}${inner === undefined ? "" : `<${describeType(inner)}>`}`;
}

function readSchema(path: string): Schema {
    return JSON.parse(readFileSync(path, "utf8")) as Schema;
}
