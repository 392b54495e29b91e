import assert from "node:assert/strict";

import * as pulumi from "@pulumi/pulumi";

import { applyOverrides, type OverridableArgs } from "../../sdk/platformOverrides";

type Overrides = Parameters<typeof applyOverrides>[1];

const nodes = pulumi.output([
    { platform: "linux/amd64", address: "tcp://10.0.0.1:1234" },
    { platform: "linux/arm64", address: "tcp://10.0.0.2:1234" },
    { platform: "linux/arm64", address: "tcp://10.0.0.3:1234" },
]);

const shared: OverridableArgs = {
    buildArgs: { KEY: pulumi.secret("a key"), MODE: "all", GREETING: pulumi.output("hello") },
    labels: { team: "infra" },
    annotations: { index: { level: "index" }, manifest: { level: "manifest" } },
    target: pulumi.output(undefined) as unknown as pulumi.Output<string>,
};
const own = {
    buildArgs: { TOKEN: pulumi.secret("a token"), MODE: "own" },
    annotations: { own: "yes" },
    target: "small",
    builder: "tcp://10.0.0.3:1234",
};

/** Every text of a value by its path, with a star where it is secret. */
async function describeTexts(value: unknown, path = "", isSecret = false): Promise<string[]> {
    if (pulumi.Output.isInstance(value)) {
        const known = value as pulumi.Output<unknown> & { promise(): Promise<unknown>; isSecret: Promise<boolean> };
        return describeTexts(await known.promise(), path, isSecret || (await known.isSecret));
    }
    if (typeof value === "object" && value !== null) {
        const items = Object.entries(value).map(([name, item]) => describeTexts(item, `${path}.${name}`, isSecret));
        return (await Promise.all(items)).flat().sort();
    }
    return value === undefined ? [] : [`${path.slice(1)}=${value as string}${isSecret ? "*" : ""}`];
}

describe("what a platform has otherwise", () => {
    const arm64 = (overrides: Overrides) => applyOverrides("linux/arm64", overrides, shared, nodes);
    const merged = [
        "annotations.level=manifest",
        "annotations.own=yes",
        "buildArgs.GREETING=hello",
        "buildArgs.KEY=a key*",
        "buildArgs.MODE=own",
        "buildArgs.TOKEN=a token*",
        "labels.team=infra",
        "nodes.0.address=tcp://10.0.0.1:1234",
        "nodes.0.platform=linux/amd64",
        "nodes.1.address=tcp://10.0.0.3:1234",
        "nodes.1.platform=linux/arm64",
        "target=small",
    ];

    it("is added to what all have, and a secret among it makes no secret of what is beside it", async () => {
        assert.deepEqual(await describeTexts(arm64({ "linux/arm64/v8": own })), merged);
        const plain = applyOverrides("linux/amd64", { "linux/arm64": own }, shared, nodes);
        assert.deepEqual(
            (await describeTexts(plain)).filter((text) => /^(annot|build|target)/.test(text)),
            ["annotations.level=manifest", "buildArgs.GREETING=hello", "buildArgs.KEY=a key*", "buildArgs.MODE=all"],
        );
    });

    it("may come from another resource, where all of it is as secret as a part of it", async () => {
        for (const overrides of [
            pulumi.output({ "linux/arm64": own }),
            { "linux/arm64": pulumi.output(own) },
            { "linux/arm64": { ...own, buildArgs: pulumi.output(own.buildArgs) } },
        ]) {
            const texts = await describeTexts(arm64(overrides));
            assert.deepEqual(
                texts.map((text) => text.replace("*", "")),
                merged.map((text) => text.replace("*", "")),
            );
            assert.ok(texts.includes("buildArgs.TOKEN=a token*"));
        }
        const nothing = pulumi.output(undefined) as unknown as pulumi.Output<Record<string, string>>;
        const { labels } = applyOverrides("linux/arm64", { "linux/arm64": { labels: nothing } }, shared, nodes);
        assert.deepEqual(await describeTexts(labels), ["team=infra"]);
    });
});
