import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

// An ES module: only import() reaches it from here.
const load = () => import("../../../tools/lib/awsOptions.mjs");

/** Nothing here asks AWS: what the command does there is tests/aws/fleet.test.ts. */
describe("npm run test:aws", () => {
    let folder: string;
    let fleet: string;
    beforeEach(() => {
        folder = mkdtempSync(join(tmpdir(), "aws-options-"));
        fleet = join(folder, "fleet.json");
    });
    afterEach(() => rmSync(folder, { recursive: true, force: true }));

    const write = (inputs: object): void =>
        writeFileSync(fleet, JSON.stringify({ subnetId: "subnet-1", allowedCidrs: ["203.0.113.7/32"], ...inputs }));
    const parse = async (...argv: string[]) => (await load()).parseAwsOptions(argv, { env: {} });

    /** Runs the command, which finds no tool to build and no account to ask. */
    function run(...argv: string[]): { status: number | null; stdout: string } {
        const tool = resolve(__dirname, "../../../tools/testAws.mjs");
        const env = { PATH: "", MULTIARCH_CACHE: join(folder, "cache") };
        const { status, stdout, stderr } = spawnSync(process.execPath, [tool, ...argv], { encoding: "utf8", env });
        assert.equal(existsSync(join(folder, "cache")), false, "it began to work");
        return { status, stdout: stdout + stderr };
    }

    it("tells everything that is wrong at once", async () => {
        writeFileSync(fleet, JSON.stringify({ instanceTypes: { "linux/arm64": ["c8g.large"] } }));
        const { problems } = await parse("--fleet", fleet, "--up-to-usd", "much", "--dockerfile", "nowhere", "--fast");
        assert.deepEqual(problems, [
            "there is no option --fast",
            "--region is missing, and AWS_REGION is not set",
            "subnetId is missing: where the machines are",
            'allowedCidrs is missing: where this computer connects from; or addressKind: "ssm", where nobody has to',
            'hourlyUsd["c8g.large"] is missing: what the run may cost follows from it',
            "--up-to-usd is a number of US dollars, not much",
            "--dockerfile: there is no file nowhere",
        ]);
        assert.deepEqual((await parse("--region", "eu-central-1", "--fleet")).problems, [
            "--fleet needs a value",
            "--fleet is missing: a JSON file with inputs of the fleet",
        ]);
        for (const text of ["[]", "{"]) {
            writeFileSync(fleet, text);
            assert.match((await parse("--region=x", `--fleet=${fleet}`)).problems.join(), /^--fleet: /);
        }
    });

    it("takes no fleet that it was not made for, or whose price it does not know", async () => {
        write({ spot: true, nodesPerPlatform: 2, cache: { iops: 9_000 }, hourlyUsd: { "m7i.large": -5 } });
        assert.deepEqual((await parse("--region=x", `--fleet=${fleet}`)).problems, [
            ...["spot", "nodesPerPlatform", "cache.iops"].map((name) => {
                return `${name} is not for this test: it is made for one machine on demand for each platform`;
            }),
            'hourlyUsd["m7i.large"] has to be above 0',
        ]);
        write({ instanceTypes: { "linux/amd64": "m7i.large" } });
        const { problems } = await parse("--region=x", `--fleet=${fleet}`);
        assert.deepEqual(problems, ['instanceTypes["linux/amd64"] has to be a list']);
    });

    it("takes away what a run has left without a fleet, in the region of that run", async () => {
        const { parseAwsOptions } = await load();
        const lastRegion = "eu-central-1";
        const { options, problems } = parseAwsOptions(["--destroy"], { env: { AWS_REGION: "us-east-1" }, lastRegion });
        assert.deepEqual([options.destroy, options.region, problems], [true, lastRegion, []]);
        assert.equal(parseAwsOptions(["--destroy", "--region=x"], { env: {}, lastRegion }).options.region, "x");
    });

    it("lets nobody in where sessions are used", async () => {
        write({ allowedCidrs: undefined, addressKind: "ssm" });
        assert.deepEqual((await parse("--region=x", `--fleet=${fleet}`)).problems, []);
    });

    it("gives the fleet what was said, and ends what it costs whatever was said", async () => {
        write({ idleMinutes: 5, deadManHours: 24, cacheOnDestroy: "keep", addressKind: "public" });
        const { options, problems } = await parse("--region", "eu-central-1", "--fleet", fleet);
        assert.deepEqual(problems, []);
        assert.deepEqual(options.fleet, {
            instanceTypes: { "linux/amd64": ["m7i.large"], "linux/arm64": ["m7g.large"] },
            cache: { sizeGiB: 20 },
            idleMinutes: 5,
            deadManHours: 1,
            cacheOnDestroy: "delete",
            subnetId: "subnet-1",
            allowedCidrs: ["203.0.113.7/32"],
            addressKind: "public",
        });
    });

    it("costs at most what the dearest types do, for two hours", async () => {
        const { boundCost } = await load();
        const instanceTypes = { "linux/amd64": ["a", "b"], "linux/arm64": ["c"] };
        const hourlyUsd = { a: 1, b: 3, c: 2 };
        // 2 hours of 3 + 2 dollars, 2 hours of 2 × 108 GiB for 0.16 a month, and 0.05 for the rest.
        assert.deepEqual(boundCost({ instanceTypes, hourlyUsd }), { usd: 10.15, disksMonthUsd: 34.56 });
        const larger = boundCost({ instanceTypes, hourlyUsd, cache: { sizeGiB: 192 } });
        assert.deepEqual(larger, { usd: 10.23, disksMonthUsd: 64 });
    });

    it("begins nothing without consent to what it may cost, or to less", () => {
        write({});
        const asked = ["--region", "eu-central-1", "--fleet", fleet];
        const silent = run(...asked);
        assert.equal(silent.status, 2);
        assert.match(silent.stdout, /in eu-central-1: two machines .* an ECR repository\n/);
        const bound = /--up-to-usd (\d+\.\d\d)\n/.exec(silent.stdout)?.[1] ?? assert.fail(silent.stdout);
        const less = run(...asked, "--up-to-usd", (Number(bound) - 0.01).toFixed(2));
        assert.equal(less.status, 2);
        assert.match(less.stdout, new RegExp(`--up-to-usd ${bound}: \\$`));
        assert.deepEqual(run(...asked, "--dry-run"), { ...silent, status: 0 });
    });

    it("says how it is used", () => {
        const help = run("--help");
        assert.equal(help.status, 0);
        assert.match(help.stdout, /your consent/);
        const wrong = run("--fast");
        assert.equal(wrong.status, 2);
        assert.match(wrong.stdout, /npm run test:aws -- --help says more/);
    });
});
