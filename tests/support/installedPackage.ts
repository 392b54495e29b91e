import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";

const repositoryRoot = join(__dirname, "..", "..");

/** Puts the package into a `node_modules`, as users have it: the files that are published, beside the libraries it needs. */
export function installPackage(modules: string): void {
    mkdirSync(modules);
    const libraries = readdirSync(join(repositoryRoot, "node_modules")).filter((name) => !name.startsWith("."));
    for (const name of libraries) {
        symlinkSync(join(repositoryRoot, "node_modules", name), join(modules, name));
    }
    const manifest = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8")) as { files: string[] };
    // What begins with an exclamation mark is left out of a folder named before it, and does no harm here.
    for (const name of ["package.json", ...manifest.files.filter((file) => !file.startsWith("!"))]) {
        cpSync(join(repositoryRoot, name), join(modules, "pulumi-multiarch", name), { recursive: true });
    }
}
