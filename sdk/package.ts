import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** The folder of the package: compiled files and sources are both one level below it. */
const packageFolder = join(__dirname, "..");

const manifest = JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8")) as { version: string };

/** The version of the package, which is the version of the plugin too. */
export const packageVersion = manifest.version;

/** The schema of the package, which tells other languages what there is. */
export function readSchema(): Promise<string> {
    return readFile(join(packageFolder, "schema.json"), "utf8");
}

/** The schema, for checking inputs against it. */
export function loadSchema(): PackageSchema {
    return JSON.parse(readFileSync(join(packageFolder, "schema.json"), "utf8")) as PackageSchema;
}

/** The parts of a package schema that inputs are checked against. */
export interface PackageSchema {
    readonly resources: Readonly<Record<string, ResourceSchema>>;
    readonly types: Readonly<Record<string, ObjectTypeSchema>>;
}

/** What a resource takes. */
export interface ResourceSchema {
    readonly inputProperties?: Readonly<Record<string, TypeSchema>>;
    readonly requiredInputs?: readonly string[];
}

/** A named type: an object with properties, or a text out of a list. */
export interface ObjectTypeSchema {
    readonly type?: string;
    readonly properties?: Readonly<Record<string, TypeSchema>>;
    readonly required?: readonly string[];
    readonly enum?: readonly { readonly value: string }[];
}

/** The type of one property. */
export interface TypeSchema {
    readonly type?: string;
    readonly $ref?: string;
    readonly items?: TypeSchema;
    readonly additionalProperties?: TypeSchema;
    readonly secret?: boolean;
}
