import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { SetupError } from "./console.mjs";
import { capture, run } from "./exec.mjs";
import { findGo } from "./goBuild.mjs";
import { ensureDir } from "./paths.mjs";
import { hostArch } from "./system.mjs";

/** @typedef {import("./system.mjs").Arch} Arch */

/** The Go that the image `golang:1.21-alpine` has. */
export const goVersion = "1.21.13";

/** What `go build` runs. Since Go 1.20 the standard library comes as source only. */
const TOOLS = ["asm", "compile", "link"];

const UNNEEDED = ["src/cmd", "testdata", "*_test.go"];

/**
 * Packs a Go compiler that runs on an architecture, as the folder `go`. The published toolchain is taken where the Go
 * module proxy has it, else the compiler is cross-compiled from the sources in the one for this machine.
 * @param {{ arch: Arch, dir: string, tarFile: string }} options `dir` takes everything on the way to the archive
 */
export async function packGoCompiler({ arch, dir, tarFile }) {
    const published = await downloadToolchain(arch);
    const goRoot = published ?? (await requireToolchain());
    const binaries =
        published === undefined ? await crossCompile({ arch, goRoot, dir }) : describeBinaries(goRoot, arch);

    const tree = join(dir, "go");
    mkdirSync(join(tree, "bin"), { recursive: true });
    mkdirSync(join(tree, "pkg", "tool"), { recursive: true });
    symlinkSync(join(goRoot, "pkg", "include"), join(tree, "pkg", "include"));
    for (const name of ["VERSION", "go.env", "lib", "src"]) {
        symlinkSync(join(goRoot, name), join(tree, name));
    }
    symlinkSync(binaries.go, join(tree, "bin", "go"));
    const toolDir = ensureDir(join(tree, "pkg", "tool", `linux_${arch}`));
    for (const name of TOOLS) {
        symlinkSync(join(binaries.toolDir, name), join(toolDir, name));
    }
    await run([
        ...["tar", "--create", "--dereference", "--file", tarFile, "--directory", dir],
        // The module cache is read-only, which no image should inherit.
        ...["--owner=0", "--group=0", "--numeric-owner", "--mode=u+w,a+rX"],
        ...UNNEEDED.map((pattern) => `--exclude=${pattern}`),
        "go",
    ]);
}

/**
 * @param {Arch} arch
 * @returns {Promise<string | undefined>} its GOROOT, or nothing where the proxy does not have it
 */
async function downloadToolchain(arch) {
    const go = findGo() ?? "go";
    const module = `golang.org/toolchain@v0.0.1-go${goVersion}.linux-${arch}`;
    const { exitCode, stdout } = await capture([go, "mod", "download", "-json", module], {
        env: { ...process.env, GOFLAGS: "-mod=mod", GOWORK: "off", GO111MODULE: "on" },
        cwd: "/",
    });
    if (exitCode !== 0) {
        return undefined;
    }
    const goRoot = JSON.parse(stdout).Dir;
    for (const path of ["bin/go", ...TOOLS.map((name) => `pkg/tool/linux_${arch}/${name}`)]) {
        // A module in the cache has no executable files; Go itself repairs them only for the toolchain it runs.
        chmodSync(join(goRoot, path), 0o555);
    }
    return goRoot;
}

async function requireToolchain() {
    const goRoot = await downloadToolchain(hostArch());
    if (goRoot === undefined) {
        throw new SetupError(`Go ${goVersion} could not be downloaded for linux/${hostArch()}`, {
            hint: "The Go module proxy must be reachable: go env GOPROXY",
        });
    }
    return goRoot;
}

/**
 * @param {{ arch: Arch, goRoot: string, dir: string }} options
 */
async function crossCompile({ arch, goRoot, dir }) {
    const output = ensureDir(join(dir, "bin"));
    const packages = ["cmd/go", ...TOOLS.map((name) => `cmd/${name}`)];
    const env = {
        ...process.env,
        ...{ GOROOT: goRoot, GOTOOLCHAIN: "local", GOFLAGS: "-buildvcs=false", GOWORK: "off" },
        ...{ GOOS: "linux", GOARCH: arch, CGO_ENABLED: "0", GOCACHE: join(dir, "cache") },
    };
    const argv = [join(goRoot, "bin", "go"), "build", "-trimpath", "-ldflags=-s -w", "-o", `${output}/`, ...packages];
    await run(argv, { env, cwd: join(goRoot, "src"), logFile: join(dir, "build.log") });
    return { go: join(output, "go"), toolDir: output };
}

/**
 * @param {string} goRoot
 * @param {Arch} arch
 */
function describeBinaries(goRoot, arch) {
    return { go: join(goRoot, "bin", "go"), toolDir: join(goRoot, "pkg", "tool", `linux_${arch}`) };
}
