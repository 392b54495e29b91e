// Writes schema.json, which tells Pulumi and the SDK generators of all languages what this package offers.
//
// The SDK can infer a schema from TypeScript, but not secrets, integers, string unions or custom resources. This script
// reads the same sources with the TypeScript compiler and knows them. What it does not know is an error, never an any.

import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { listDifferences } from "./lib/schema/compare.mjs";
import { TAGS } from "./lib/schema/docs.mjs";
import { describeResources } from "./lib/schema/package.mjs";

/** Everything the package offers: each component and resource, and the file with its class. */
const RESOURCES = {
    MultiArchImage: "sdk/multiArchImage.ts",
    PlatformImage: "sdk/resources/platformImage.ts",
    ImageIndex: "sdk/resources/imageIndex.ts",
    ImageCopy: "sdk/resources/imageCopy.ts",
    ImageExport: "sdk/resources/imageExport.ts",
    BuilderCertificates: "sdk/resources/builderCertificates.ts",
    SpotRequest: "sdk/resources/spotRequest.ts",
    Ec2BuilderFleet: "sdk/ec2BuilderFleet.ts",
};

const PACKAGE = "multiarch";
const COMMAND = "node tools/schema.mjs";
const MOST_LINES = 20;
const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");

const HELP = `Usage: ${COMMAND} [--check]

Writes schema.json from the TypeScript sources of the package.

  --check   write nothing; exit with 1 and say what differs when schema.json is not current
  --help    show this

Tags in doc comments:
${Object.entries(TAGS)
    .map(([tag, meaning]) => `  @${tag.padEnd(9)} ${meaning}`)
    .join("\n")}
`;

/** Makes the whole schema of the package. */
async function describePackage() {
    const manifest = JSON.parse(await readFile(path.join(ROOT, "package.json"), "utf8"));
    const repository = manifest.repository?.url ?? manifest.repository;
    return {
        name: PACKAGE,
        displayName: "Multi-architecture images",
        version: manifest.version,
        description: manifest.description,
        keywords: ["category/infrastructure", "kind/component", ...manifest.keywords],
        ...(manifest.homepage ? { homepage: manifest.homepage } : {}),
        license: manifest.license,
        ...(repository ? { repository } : {}),
        language: {
            csharp: { respectSchemaVersion: true },
            go: { respectSchemaVersion: true },
            java: { respectSchemaVersion: true },
            // The name of the library on npm, so that the import line is the same through both doors.
            nodejs: { packageName: manifest.name, respectSchemaVersion: true },
            python: {
                packageName: manifest.name.replaceAll("-", "_"),
                pyproject: { enabled: true },
                respectSchemaVersion: true,
            },
        },
        provider: { description: "Builds and joins the images. It has no configuration of its own." },
        ...describeResources(ROOT, PACKAGE, RESOURCES),
    };
}

/** Says how the file differs from what it should be, and returns the exit code. */
function report(written, schema) {
    const differences = listDifferences(written, schema);
    if (differences.length === 0) {
        return 0;
    }
    const more = differences.length - MOST_LINES;
    console.error("schema.json is not what the sources say (- in the file, + in the sources):\n");
    console.error(differences.slice(0, MOST_LINES).join("\n"));
    console.error(`${more > 0 ? `... and ${more} more\n` : ""}\nRun: ${COMMAND}`);
    return 1;
}

async function main(options) {
    const unknown = options.find((option) => !["--check", "--help"].includes(option));
    if (unknown !== undefined) {
        console.error(`unknown option ${unknown}\n\n${HELP}`);
        return 2;
    }
    if (options.includes("--help")) {
        console.log(HELP);
        return 0;
    }
    const file = path.join(ROOT, "schema.json");
    const schema = await describePackage();
    if (options.includes("--check")) {
        return report(JSON.parse(await readFile(file, "utf8").catch(() => "{}")), schema);
    }
    await writeFile(file, `${JSON.stringify(schema, undefined, 4)}\n`);
    return 0;
}

try {
    process.exitCode = await main(process.argv.slice(2));
} catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
}
