import { join, relative } from "node:path";
import { runMain, say, step } from "./lib/console.mjs";
import { embeddedDir, envFile, programs, stackName } from "./lib/embeddedState.mjs";
import { repoRoot } from "./lib/paths.mjs";
import { withLock } from "./lib/lock.mjs";
import { findOnPath, requireRoot } from "./lib/system.mjs";
import { ensureToolchain } from "./lib/toolchain.mjs";

const HELP = `npm start [-- option]

Builds the image of examples/hello for linux/amd64 and linux/arm64 and pushes it, with everything real: a registry with
TLS and a password and two BuildKit daemons on this machine, listening on loopback only, and pulumi up. Then pulls both
images back and runs them. What is missing is installed first; a second start is quick.

    --yaml     runs the YAML program in examples/yaml instead of the TypeScript one
    --clean    ends what was started and removes it: processes, mounts, state, the line in /etc/hosts
    --help     this text

The first start takes about 20 minutes on 2 cores: it builds Pulumi, BuildKit, buildx and a registry from source. That
takes about 1.4 GB in .cache, and several more in Go's own caches (go clean -cache -modcache empties them).

Changes to the machine: missing Debian packages (curl, git, iproute2, openssh-client, runc, qemu-user-static), one line in
/etc/hosts, QEMU in the kernel's binfmt_misc, and ports 5443, 5444, 8372 and 8373 on loopback, or the next free ones. Each
is said when it is made. --clean takes all back but the packages and the tools.`;

// What a shell reports for a program that SIGINT has ended.
const INTERRUPTED = 130;

// Whoever starts or ends daemons is alone: two of them would each start their own, and only one would be known later.
const lockName = "embedded";

const OPTIONS = ["--yaml", "--clean", "--help"];

await runMain(async () => {
    const options = process.argv.slice(2);
    const unknown = options.filter((option) => !OPTIONS.includes(option));
    if (options.includes("--help") || unknown.length > 0) {
        say(unknown.length > 0 ? `there is no option ${unknown.join(" ")}\n\n${HELP}` : HELP);
        return unknown.length > 0 ? 2 : 0;
    }
    requireRoot();
    if (options.includes("--clean")) {
        const { cleanEmbedded } = await import("./lib/clean.mjs");
        await withLock(lockName, cleanEmbedded);
        return;
    }
    return start(options.includes("--yaml") ? programs.yaml : programs.typescript);
});

/**
 * @param {string} program the folder of its Pulumi.yaml
 * @returns {Promise<number>}
 */
async function start(program) {
    const interrupt = catchInterrupt();
    try {
        const toolchain = await ensureToolchain();
        interrupt.check();
        const work = () => bringEverythingUp(toolchain, program, interrupt.check);
        return await withLock(lockName, work, { checkInterrupt: interrupt.check });
    } catch (error) {
        if (!interrupt.happened()) {
            throw error;
        }
        say("interrupted. What was started keeps running: npm start goes on, npm start -- --clean removes it");
        return INTERRUPTED;
    }
}

/**
 * @param {import("./lib/toolchain.mjs").Toolchain} toolchain
 * @param {string} program
 * @param {() => void} checkInterrupt throws when the user has pressed Ctrl-C
 * @returns {Promise<number>}
 */
async function bringEverythingUp(toolchain, program, checkInterrupt) {
    // These use npm packages, which the toolchain has installed by now.
    const { startEmbedded } = await import("./lib/embedded.mjs");
    const { describeConfig, describeEnv, writeEnvFile } = await import("./lib/embeddedEnv.mjs");
    const { bringUp, configureStack, readOutputs } = await import("./lib/pulumi.mjs");

    const embedded = await startEmbedded(toolchain);
    checkInterrupt();
    const variables = describeEnv(embedded);
    writeEnvFile(variables);
    const env = { ...toolchain.env, ...variables };
    const project = { binary: toolchain.bin("pulumi"), dir: join(repoRoot, program), env };
    await step("configuring the stack", () => configureStack(project, describeConfig(embedded)));
    checkInterrupt();
    const exitCode = await bringUp(project);
    checkInterrupt();
    if (exitCode !== 0) {
        return exitCode;
    }
    const outputs = await readOutputs(project);
    await runImages(embedded, outputs);
    showResult(outputs, { program, caFile: relative(process.cwd(), embedded.certificates.caFile) });
    return 0;
}

/**
 * Pulls what was pushed and runs it: the proof that the index leads to two images that work.
 * @param {import("./lib/embedded.mjs").Embedded} embedded
 * @param {import("./lib/pulumi.mjs").Outputs} outputs
 */
async function runImages({ registry, builders, certificates }, { ref, platformDigests }) {
    const { pullAndRun } = await import("./lib/pulledImage.mjs");
    const repository = ref.slice(registry.address.length + 1, ref.lastIndexOf("@"));
    const source = { ...registry, repository, caFile: certificates.caFile };
    for (const { platform, emulated } of builders) {
        const digest = platformDigests[platform] ?? "";
        const dir = join(embeddedDir, "run", platform.replaceAll("/", "-"));
        const printed = await pullAndRun(source, { digest, platform, dir, runc: findOnPath("runc") ?? "runc" });
        say(`pulled ${platform} back and ran it${emulated ? " (emulated by QEMU)" : ""}: ${printed}`);
    }
}

/**
 * @param {import("./lib/pulumi.mjs").Outputs} outputs
 * @param {{ program: string, caFile: string }} options
 */
function showResult({ indexDigest, ref, tagRefs, platformDigests }, { program, caFile }) {
    const folder = program === "." ? "" : `cd ${program} && `;
    const lines = [
        "",
        `index        ${indexDigest}`,
        ...Object.entries(platformDigests).map(([platform, digest]) => `${platform.padEnd(12)} ${digest}`),
        `tags         ${tagRefs.join(" ")}`,
        "",
        `settings     source ${relative(process.cwd(), envFile)}`,
        `inspect      buildx imagetools inspect ${tagRefs.at(-1)}`,
        `pull         docker pull ${ref}`,
        `             dockerd trusts this registry once ${caFile} is`,
        `             /etc/docker/certs.d/${ref.slice(0, ref.indexOf("/"))}/ca.crt`,
        `by hand      ${folder}pulumi preview --stack ${stackName}; also up, refresh, destroy`,
        "clean up     npm start -- --clean",
    ];
    say(lines.join("\n"));
}

/** The first Ctrl-C ends the running step in its own way, which also reaches its child processes; a second one is final. */
function catchInterrupt() {
    let pressed = false;
    process.on("SIGINT", () => {
        if (pressed) {
            process.exit(INTERRUPTED);
        }
        pressed = true;
    });
    return {
        happened: () => pressed,
        check() {
            if (pressed) {
                throw new Error("interrupted");
            }
        },
    };
}
