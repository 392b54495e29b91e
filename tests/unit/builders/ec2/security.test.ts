import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describeFleet, pem, type Described } from "./fleetMonitor";

const repository = join(__dirname, "..", "..", "..", "..");
const page = readFileSync(join(repository, "docs", "security.md"), "utf8");
const subnetId = "subnet-0a";
const kmsKeyArn = "arn:aws:kms:eu-central-1:1:key/2";

/** The rows of the table below a heading, without its head. */
function rowsOf(heading: string): string[][] {
    const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";
    const lines = section.split("\n").filter((line) => line.startsWith("| "));
    const rows = lines.slice(2).map((line) => line.split("|").slice(1, -1));
    assert.ok(rows.length > 0, `there is no table below ${heading}`);
    return rows.map((cells) => cells.map((cell) => cell.trim()));
}

/** The words of a cell that are set as code. */
function codeIn(cell = ""): string[] {
    return [...cell.matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word);
}

function statementsOf({ inputs }: Described): { Action: string; Resource: string; Effect: string }[] {
    const policy = JSON.parse(String(inputs("fleet-read-tls")["policy"])) as { Statement: [] };
    return policy.Statement;
}

/** What docs/security.md says, against what a fleet generates. */
describe("the security of a fleet is as the docs say", function () {
    // The package of AWS is large.
    this.timeout(60_000);

    let plain: Described;
    let open: Described;
    let closed: Described;
    let userData = "";

    before(async () => {
        plain = await describeFleet({ subnetId });
        open = await describeFleet({
            subnetId,
            allowedCidrs: ["10.0.0.0/8"],
            kmsKeyArn,
            addressKind: "public",
            spot: true,
        });
        closed = await describeFleet({ subnetId, addressKind: "ssm" });
        userData = String(plain.inputs("fleet-arm64-0")["userData"]);
    });

    const ofType = ({ resources }: Described, type: string) =>
        [...resources.values()].filter((one) => one.type === type);

    it("in what is made", () => {
        const rows = rowsOf("What is made");
        const types = new Set([...open.resources.values()].map(({ type }) => type));
        types.delete("multiarch:index:Ec2BuilderFleet");
        assert.deepEqual(rows.flatMap(([type]) => codeIn(type)).sort(), [...types].sort());
        for (const [type, howMany = ""] of rows) {
            const count = ofType(open, codeIn(type).join()).length;
            const expected: Record<string, number> = {
                one: 1,
                // Each platform has one on demand behind its spot instance.
                "one for each builder": 4,
                "one for each builder that is a spot instance": 2,
                "one for each of `allowedCidrs`": 1,
                "one for each of `egress`, which has four by default": 4,
            };
            assert.equal(count, expected[howMany], `${type ?? ""}: ${howMany}`);
        }
        const { ingress, egress } = plain.inputs("fleet-group");
        assert.deepEqual([ingress, egress], [undefined, undefined]);
    });

    it("in what builders may do", () => {
        const rows = rowsOf("What builders may do in the account");
        const always = rows.filter(([, , when]) => when === "always").flatMap(([action]) => codeIn(action));
        const withKey = rows.filter(([, , when]) => when === "with `kmsKeyArn`").flatMap(([action]) => codeIn(action));
        const ssm = 'with `addressKind: "ssm"`';
        const withSessions = rows.filter(([, , when]) => when === ssm).flatMap(([action]) => codeIn(action));
        assert.equal(always.length + withKey.length + withSessions.length, rows.length);
        const parameterArn = "arn:aws:ssm:eu-central-1:1:parameter/fleet-tls";
        const allow = (Action: string, Resource: string) => ({ Effect: "Allow", Action, Resource });
        assert.deepEqual(
            statementsOf(plain),
            always.map((action) => allow(action, parameterArn)),
        );
        assert.deepEqual(statementsOf(open), [
            ...always.map((action) => allow(action, parameterArn)),
            ...withKey.map((action) => allow(action, kmsKeyArn)),
        ]);
        assert.deepEqual(statementsOf(closed), [
            ...always.map((action) => allow(action, parameterArn)),
            ...withSessions.map((action) => allow(action, "*")),
        ]);
        const { managedPolicyArns, inlinePolicies, assumeRolePolicy } = plain.inputs("fleet-role");
        assert.deepEqual([managedPolicyArns, inlinePolicies], [undefined, undefined]);
        const { Statement } = JSON.parse(String(assumeRolePolicy)) as { Statement: { Principal: object }[] };
        const service = /assumed by `([^`]+)` alone/.exec(page)?.[1];
        assert.deepEqual(
            Statement.map(({ Principal }) => Principal),
            [{ Service: service }],
        );
        assert.match(userData, /rule add iif "\$STEP_BRIDGE" to "\$address" prohibit/);
    });

    it("in what up may do", () => {
        const folder = join(repository, "sdk", "builders", "ec2");
        const sources = readdirSync(folder, { recursive: true, encoding: "utf8" })
            .filter((name) => name.endsWith(".ts"))
            .map((name) => readFileSync(join(folder, name), "utf8"));
        const services: Record<string, string> = { aws: "ec2", ssm: "ssm" };
        const commands = sources.join("\n").matchAll(/new (\w+)\.(\w+)Command\(/g);
        const asked = new Set([...commands].map(([, where = "", name = ""]) => `${services[where] ?? ""}:${name}`));
        // What is no command of the SDK is signed for its service.
        const signed = sources.join("\n").matchAll(/signingService: "(\w+)"/g);
        [...signed].forEach(([, service = ""]) => asked.add(`${service}:OpenDataChannel`));
        const rows = rowsOf("What `up` may do in the account").flatMap(([action]) => codeIn(action));
        assert.deepEqual(rows.sort(), [...asked].sort());
        const policy = readFileSync(join(repository, "docs", "ec2.md"), "utf8").matchAll(/"Action": "([^"]+)"/g);
        assert.deepEqual([...policy].map(([, action]) => action).sort(), [...asked].sort());
    });

    it("in its ports", () => {
        const rows = rowsOf("Ports");
        const portsOf = (direction: string) =>
            rows.filter(([way]) => way === direction).map(([, port]) => codeIn(port)[0]);
        const rules = (fleet: Described, kind: string) => {
            const found = [...fleet.resources.values()].filter(({ type }) => type.includes(kind));
            assert.ok(found.every(({ inputs }) => inputs["ipProtocol"] === "tcp"));
            assert.ok(found.every(({ inputs }) => inputs["fromPort"] === inputs["toPort"]));
            return [...new Set(found.map(({ inputs }) => String(inputs["fromPort"])))];
        };
        assert.deepEqual(rules(plain, "Ingress"), [], "by default nobody");
        assert.deepEqual(rules(closed, "Ingress"), [], "nobody has to");
        assert.deepEqual(rules(open, "Ingress"), portsOf("in"));
        assert.deepEqual(rules(plain, "Egress").sort(), portsOf("out").sort());
        const addresses = /^ *address = (\[.*\])$/m.exec(userData)?.[1] ?? "[]";
        const listened = (JSON.parse(addresses) as string[]).filter((address) => address.startsWith("tcp:"));
        assert.deepEqual(
            listened.map((address) => address.split(":").pop()),
            portsOf("in"),
        );
        assert.deepEqual(/debugAddress = "127\.0\.0\.1:(\d+)"/.exec(userData)?.slice(1), portsOf("loopback"));
        assert.equal(new Set(rows.map(([direction]) => direction)).size, 3);
        // With a CA the daemon wants a certificate of whoever connects.
        assert.match(userData, /\[grpc\.tls\]\n *ca = /);
    });

    it("in its keys", () => {
        const checks: Record<string, () => unknown> = {
            "of the authority": () => assert.deepEqual(secretOutputs("authorities"), ["authorities"]),
            "of the builders": () => {
                assert.deepEqual(secretOutputs("server"), ["server"]);
                const parameter = plain.resources.get("fleet-tls");
                assert.deepEqual([parameter?.inputs["type"], parameter?.secrets], ["SecureString", ["value"]]);
                assert.match(String(parameter?.inputs["value"]), /SERVER KEY/);
            },
            "of the builders, on a builder": () => {
                assert.match(userData, /readonly folder=\$state\/tls/);
                assert.match(userData, /readonly state=\/run\/multiarch\n/);
                assert.match(userData, /mkdir -m 0700 "\$folder"/);
                assert.match(userData, /umask 077/);
                assert.match(userData, /ExecStopPost=\/bin\/rm -rf \/run\/multiarch\/tls/);
            },
            "of clients": () => assert.deepEqual(secretOutputs("client"), ["client"]),
        };
        assert.deepEqual(
            rowsOf("Keys")
                .map(([key]) => key)
                .sort(),
            Object.keys(checks).sort(),
        );
        Object.values(checks).forEach((check) => check());

        // Every secret there is, by the resource that has it: each is in a row.
        const all = [...plain.resources.values()].flatMap(({ name, secrets }) =>
            secrets.map((one) => `${name} ${one}`),
        );
        assert.deepEqual(all, ["fleet-tls value"]);
        for (const { name, inputs } of plain.resources.values()) {
            const shown = name === "fleet-tls" ? { ...inputs, value: "" } : inputs;
            assert.equal(JSON.stringify(shown).includes(JSON.stringify(pem("SERVER KEY")).slice(1, -1)), false, name);
        }
    });

    it("in its settings", () => {
        const machine = plain.inputs("fleet-arm64-0");
        const checks: Record<string, () => unknown> = {
            "metadata service": () => {
                const { httpTokens, httpPutResponseHopLimit } = machine["metadataOptions"] as Record<string, unknown>;
                assert.deepEqual([httpTokens, httpPutResponseHopLimit], ["required", 1]);
            },
            "public address": () => {
                assert.equal(machine["associatePublicIpAddress"], false);
                assert.equal(closed.inputs("fleet-arm64-0")["associatePublicIpAddress"], false);
                assert.equal(open.inputs("fleet-arm64-0")["associatePublicIpAddress"], true);
            },
            disks: () => {
                for (const fleet of [plain, open]) {
                    const root = fleet.inputs("fleet-arm64-0")["rootBlockDevice"] as Record<string, unknown>;
                    const cache = fleet.inputs("fleet-arm64-0-cache");
                    const key = fleet === open ? kmsKeyArn : undefined;
                    assert.deepEqual([root["encrypted"], root["kmsKeyId"]], [true, key]);
                    assert.deepEqual([cache["encrypted"], cache["kmsKeyId"]], [true, key]);
                }
            },
            shutdown: () => assert.equal(machine["instanceInitiatedShutdownBehavior"], "stop"),
            BuildKit: () => {
                assert.match(userData, /BUILDKIT_SHA256='[0-9a-f]{64}'/);
                assert.match(userData, /if \[ "\$found" != "\$BUILDKIT_SHA256" \]; then\n *fail/);
                const unpacked = /--wildcards \\\n *(.*)$/m.exec(userData)?.[1] ?? "qemu";
                assert.doesNotMatch(unpacked, /qemu/);
            },
            "network of steps": () => {
                assert.match(userData, /networkMode = "bridge"/);
                const subnet = /bridgeSubnet = "([^"]+)"/.exec(userData)?.[1] ?? "";
                assert.ok(page.includes(`\`${subnet}\``));
            },
            entitlements: () => assert.doesNotMatch(userData, /insecure-entitlements/),
            login: () => {
                assert.equal(machine["keyName"], undefined);
                assert.ok(
                    !ofType(open, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule").some(
                        ({ inputs }) => inputs["fromPort"] === 22,
                    ),
                );
            },
        };
        assert.deepEqual(
            rowsOf("Settings")
                .map(([setting]) => setting)
                .sort(),
            Object.keys(checks).sort(),
        );
        Object.values(checks).forEach((check) => check());
    });
});

/** Which outputs the schema marks as secret, of those that are asked for. */
function secretOutputs(...names: string[]): string[] {
    const schema = JSON.parse(readFileSync(join(repository, "schema.json"), "utf8")) as {
        resources: Record<string, { properties: Record<string, { secret?: boolean }> }>;
    };
    const { properties = {} } = schema.resources["multiarch:index:BuilderCertificates"] ?? {};
    return names.filter((name) => properties[name]?.secret === true);
}
