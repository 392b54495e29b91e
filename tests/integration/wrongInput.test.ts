import assert from "node:assert/strict";

import * as pulumi from "@pulumi/pulumi";

import type { MultiArchImageArgs } from "../../sdk";
import { writeContext } from "../support/images";
import { useImageStack } from "../support/imageStack";
import { startRegistryDouble } from "../support/registryDouble";
import { loadTools } from "../support/toolLibrary";
import type { World } from "../support/world";

/** Wrong input gives a message that names the property, and nothing is pushed. Rule 5: native or refused. */
describe("wrong input", () => {
    const stack = useImageStack();

    beforeEach(() => writeContext(stack.folder, "one"));

    const cases: { title: string; change: (world: World) => Partial<MultiArchImageArgs>; message: RegExp }[] = [
        {
            title: "an unknown platform",
            change: () => ({ platforms: ["linux/amd64", "linux/armm64"] }),
            message: /\[input-invalid\]\n\s+platforms\[1\]: .*linux\/arm64/,
        },
        {
            title: "what comes from another resource",
            change: () => ({ repository: pulumi.output("registry.example.com/app:1"), tags: pulumi.output(["a b"]) }),
            message: /error: multiarch:index:MultiArchImage app has wrong inputs .*\n\s+repository: .*\n\s+tags\[0\]: /,
        },
        {
            title: "no builder for a platform",
            change: ({ builders }) => ({ builders: { endpoints: [builders.amd64.endpoint] } }),
            message: /builders\.endpoints: has no builder for linux\/arm64/,
        },
        {
            title: "two cache backends",
            change: () => ({ cache: { registry: {}, inline: {} } }),
            message: /cache: names registry and inline/,
        },
        {
            title: "a missing Dockerfile",
            change: () => ({ dockerfile: { location: "./app/Missing" } }),
            message:
                /dockerfile\.location: there is no Dockerfile at \.\/app\/Missing \(\/.*app\/Missing\) \[context-missing\]\n\s+next: /,
        },
        {
            title: "a missing context",
            change: () => ({ context: { location: "./nowhere" } }),
            message: /context\.location: there is no folder \.\/nowhere \(\/.*nowhere\) \[context-missing\]\n\s+next: /,
        },
        {
            title: "a wrong password",
            change: ({ registry, username }) => ({
                registries: [{ address: registry, username, password: "not-this-one" }],
            }),
            message: /\[registry-unauthorized\]\n\s+property: registries\[0\]\.password/,
        },
        {
            title: "an unreachable builder",
            change: ({ builders: { amd64, arm64 } }) => ({
                builders: {
                    endpoints: [
                        amd64.endpoint,
                        { ...arm64.endpoint, address: arm64.endpoint.address.replace("1234", "1") },
                    ],
                },
            }),
            message: /linux\/arm64, .*\[builder-refused\]\n\s+property: builders\.endpoints\[1\]/,
        },
        {
            title: "a builder of another architecture",
            change: ({ builders: { amd64 } }) => ({
                platforms: ["linux/amd64", "linux/s390x"],
                builders: { endpoints: [amd64.endpoint, { ...amd64.endpoint, platform: "linux/s390x" }] },
            }),
            message: /linux\/s390x, .*\[builder-wrong-platform\]\n\s+property: builders\.endpoints\[1\]/,
        },
        {
            title: "a builder that only emulates its platform",
            change: () => ({ emulation: "never" }),
            message: /\[builder-emulated\]\n\s+property: builders\.endpoints\[[01]\]/,
        },
        {
            title: "a client certificate of another CA",
            change: ({ builders: { amd64, arm64 } }) => ({
                builders: { endpoints: [amd64.endpoint, { ...arm64.endpoint, tls: foreignTls }] },
            }),
            message: /linux\/arm64, .*\[builder-tls-[a-z-]+\]\n\s+property: builders\.endpoints\[1\]/,
        },
    ];

    let foreignTls: { ca: string; cert: string; key: string };
    before(async () => {
        const { createAuthority, issue } = await loadTools();
        const authority = await createAuthority("somebody else");
        const { cert, key } = await issue(authority, { commonName: "client", usage: "client" });
        foreignTls = { ca: authority.cert, cert, key };
    });

    it("an account that may only read is found out before anything is built", async () => {
        const password = "reads-only-1";
        const registry = await startRegistryDouble({ auth: "bearer", users: { reader: { password, canPush: false } } });
        try {
            stack.repository = `${registry.host}/team/app`;
            stack.args = { registries: [{ address: registry.host, username: "reader", password }] };
            const printed = await stack.upFails();
            assert.match(printed, /\[registry-forbidden\]\n\s+property: registries\[0\]\.password/);
            assert.doesNotMatch(printed, /building on|reads-only-1/);
            const written = registry.requests.filter(({ method }) => method === "PUT" || method === "PATCH");
            assert.deepEqual(written, []);
            assert.equal(registry.uploads.size, 0);
        } finally {
            await registry.close();
        }
    });

    for (const { title, change, message } of cases) {
        it(`${title} is refused by a message that names the property, and nothing is pushed`, async () => {
            stack.args = change(stack.world);
            const started = Date.now();
            const printed = await stack.upFails();
            assert.match(printed, message);
            assert.doesNotMatch(
                printed,
                /not-this-one|at Object\.|node_modules|<nil>|serializing/,
                "neither secrets nor stacks",
            );
            assert.deepEqual(stack.view.pushedManifests(stack.repository), []);
            assert.ok(Date.now() - started < 60_000, "it does not take a minute");
        });
    }
});
