import { readFile, stat } from "node:fs/promises";
import * as path from "node:path";

import { whatOf } from "../errors";
import type { InputProblem } from "./lifecycle";
import type { PlatformImageInputs } from "./platformImageInputs";
import { unknownValue, type Properties } from "./values";

type SecretFiles = Pick<PlatformImageInputs, "secretFiles">;

/** What is in the files with secrets, by id. */
export function readSecretFiles({ secretFiles = {} }: SecretFiles): Promise<[id: string, text: string][]> {
    const entries = Object.entries(secretFiles);
    return Promise.all(entries.map(async ([id, file]) => [id, await readFile(path.resolve(file), "utf8")]));
}

/** Files that cannot be read, by property. */
export async function findSecretFileProblems(inputs: Properties): Promise<InputProblem[]> {
    const secretFiles = (inputs["secretFiles"] ?? {}) as Record<string, string>;
    const known = Object.entries(secretFiles).filter(([, file]) => file !== unknownValue);
    const problems = await Promise.all(known.map(([id, file]) => checkFile(`secretFiles.${id}`, file)));
    return problems.flat();
}

async function checkFile(property: string, file: string): Promise<InputProblem[]> {
    try {
        const isFile = (await stat(path.resolve(file))).isFile();
        return isFile ? [] : [{ property, reason: `${file} is not a file` }];
    } catch (error) {
        return [{ property, reason: `cannot be read: ${whatOf(error)}` }];
    }
}
