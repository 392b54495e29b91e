import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = resolve(__dirname, "../../..");

interface TypeSpec {
    type?: string;
    $ref?: string;
    items?: TypeSpec;
    additionalProperties?: TypeSpec;
    plain?: boolean;
}

interface PropertySpec extends TypeSpec {
    description?: string;
    secret?: boolean;
    willReplaceOnChanges?: boolean;
}

interface ObjectSpec {
    description?: string;
    type?: string;
    properties?: Record<string, PropertySpec>;
    inputProperties?: Record<string, PropertySpec>;
    enum?: { value: string }[];
    isComponent?: boolean;
}

interface PackageSpec {
    types: Record<string, ObjectSpec>;
    resources: Record<string, ObjectSpec>;
}

describe("schema.json", () => {
    let schema: PackageSpec;
    let properties: Map<string, PropertySpec>;

    before(async () => {
        schema = JSON.parse(await readFile(join(root, "schema.json"), "utf8")) as PackageSpec;
        properties = new Map([...listProperties(schema.types), ...listProperties(schema.resources)]);
    });

    it("is what the sources say", async () => {
        await run(process.execPath, ["tools/schema.mjs", "--check"], { cwd: root });
    });

    it("offers the components and the custom resources", () => {
        const kinds = Object.entries(schema.resources).map(([token, { isComponent }]) => [token, isComponent === true]);
        assert.deepEqual(kinds, [
            ["multiarch:index:BuilderCertificates", false],
            ["multiarch:index:Ec2BuilderFleet", true],
            ["multiarch:index:ImageCopy", false],
            ["multiarch:index:ImageExport", false],
            ["multiarch:index:ImageIndex", false],
            ["multiarch:index:MultiArchImage", true],
            ["multiarch:index:PlatformImage", false],
            ["multiarch:index:SpotRequest", false],
        ]);
    });

    it("marks every secret, and nothing else, as secret", () => {
        assert.deepEqual(
            namesOf(properties, ({ secret }) => secret === true),
            [
                "multiarch:index:AzblobCache secretAccessKey",
                "multiarch:index:BuilderCertificates authorities",
                "multiarch:index:BuilderCertificates client",
                "multiarch:index:BuilderCertificates server",
                "multiarch:index:Ec2BuilderFleet nodes",
                "multiarch:index:GhaCache token",
                "multiarch:index:Keyless identityToken",
                "multiarch:index:MultiArchImage secrets",
                "multiarch:index:PlatformImage secrets",
                "multiarch:index:Registry password",
                "multiarch:index:S3Cache secretAccessKey",
                "multiarch:index:S3Cache sessionToken",
                "multiarch:index:SigningKey password",
                "multiarch:index:SigningKey privateKey",
                "multiarch:index:Ssh key",
                "multiarch:index:Tls key",
            ],
        );
    });

    it("says which changes replace a resource", () => {
        assert.deepEqual(
            namesOf(properties, ({ willReplaceOnChanges }) => willReplaceOnChanges === true),
            [
                "multiarch:index:ImageCopy repository",
                "multiarch:index:ImageIndex repository",
                "multiarch:index:PlatformImage platform",
                "multiarch:index:PlatformImage repository",
            ],
        );
    });

    it("takes only what decides which children there are as plain lists", () => {
        assert.deepEqual(
            namesOf(properties, ({ plain }) => plain === true),
            [
                "multiarch:index:Builders ec2",
                "multiarch:index:Ec2BuilderFleet allowedCidrs",
                "multiarch:index:Ec2BuilderFleet cacheOnDestroy",
                "multiarch:index:Ec2BuilderFleet egress",
                "multiarch:index:Ec2BuilderFleet nodesPerPlatform",
                "multiarch:index:Ec2BuilderFleet platforms",
                "multiarch:index:Ec2BuilderFleet spot",
                "multiarch:index:Ec2BuilderFleet subnetIds",
                ...["allowedCidrs", "cacheOnDestroy", "egress", "nodesPerPlatform", "spot", "subnetIds"].map(
                    (name) => `multiarch:index:Ec2Builders ${name}`,
                ),
                "multiarch:index:MultiArchImage additionalRepositories",
                "multiarch:index:MultiArchImage engine",
                "multiarch:index:MultiArchImage exports",
                "multiarch:index:MultiArchImage platforms",
                "multiarch:index:MultiArchImage push",
            ],
        );
        const itemsOf = (name: string) => properties.get(`multiarch:index:MultiArchImage ${name}`)?.items;
        assert.deepEqual(itemsOf("platforms"), { type: "string", plain: true });
        assert.deepEqual(itemsOf("additionalRepositories"), { type: "string" }, "each may be an output");
    });

    it("describes every resource, type and property", () => {
        const things = [...Object.entries(schema.types), ...Object.entries(schema.resources), ...properties];
        const silent = things.filter(([, { description }]) => !description).map(([name]) => name);
        assert.deepEqual(silent, []);
    });

    it("gives every property a type that exists, never any", () => {
        for (const [name, property] of properties) {
            assertTyped(schema, property, name);
        }
    });
});

describe("node tools/schema.mjs --check", () => {
    it("exits with 1, names what differs and how to write it when the file is stale", async () => {
        const copy = await mkdtemp(join(tmpdir(), "schema-"));
        try {
            for (const part of ["tools/schema.mjs", "tools/lib/schema", "sdk", "package.json", "schema.json"]) {
                await cp(join(root, part), join(copy, part), { recursive: true });
            }
            await symlink(join(root, "node_modules"), join(copy, "node_modules"));
            const args = await readFile(join(copy, "sdk/args.ts"), "utf8");
            await writeFile(join(copy, "sdk/args.ts"), args.replaceAll("@secret", ""));

            const failure = await run(process.execPath, ["tools/schema.mjs", "--check"], { cwd: copy }).then(
                () => assert.fail("the check passed"),
                (error: unknown) => error as { code: number; stderr: string },
            );

            assert.equal(failure.code, 1);
            assert.match(
                failure.stderr,
                /^- types > multiarch:index:Registry > properties > password > secret: true$/m,
            );
            assert.match(failure.stderr, /^Run: node tools\/schema\.mjs$/m);
        } finally {
            await rm(copy, { recursive: true });
        }
    });
});

/** Lists the properties of types and resources, each under the name of its owner and its own. */
function listProperties(owners: Record<string, ObjectSpec>): [string, PropertySpec][] {
    return Object.entries(owners).flatMap(([owner, spec]) =>
        Object.entries({ ...spec.properties, ...spec.inputProperties }).map(
            ([name, property]): [string, PropertySpec] => [`${owner} ${name}`, property],
        ),
    );
}

function namesOf(properties: Map<string, PropertySpec>, isWanted: (property: PropertySpec) => boolean): string[] {
    return [...properties]
        .filter(([, property]) => isWanted(property))
        .map(([name]) => name)
        .sort();
}

function assertTyped(schema: PackageSpec, spec: TypeSpec, name: string): void {
    if (spec.$ref !== undefined) {
        const token = spec.$ref.replace("#/types/", "");
        assert.ok(schema.types[token] !== undefined, `${name} is a ${spec.$ref}, which is not there`);
        return;
    }
    const inner = { array: spec.items, object: spec.additionalProperties }[spec.type ?? ""];
    if (inner !== undefined) {
        assertTyped(schema, inner, name);
        return;
    }
    assert.ok(["string", "boolean", "integer", "number"].includes(spec.type ?? ""), `${name} has no type`);
}
