import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { ImageCopy, type ImageCopyArgs } from "../../sdk";
import { createSignatureCheck, type SignaturePolicy } from "../../sdk/signing/verify";
import { writeContext } from "../support/images";
import { useImageStack } from "../support/imageStack";
import { watchProcesses } from "../support/processes";
import type { IndexDocument } from "../support/registryView";
import { identity, issuer, startSigstoreDouble, tokenFor, type SigstoreDouble } from "../support/sigstoreDouble";
import { createStack } from "../support/stack";

function newKey() {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    return {
        privateKey: privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
        publicKey: publicKey.export({ format: "pem", type: "spki" }).toString(),
    };
}

/** The registry of the tests keeps no list of what refers to a digest: this is the tag that stands in for it. */
const listTag = (digest: string): string => digest.replace(":", "-");

/** The index is signed before its tags move. Real registry; Fulcio and Rekor are a double. */
describe("an index that is signed", () => {
    const own = newKey();
    const stack = useImageStack((world) => ({
        platforms: ["linux/amd64"],
        sign: { key: { privateKey: own.privateKey } },
        additionalRepositories: [world.newRepository()],
    }));
    let double: SigstoreDouble;

    before(async () => {
        double = await startSigstoreDouble();
    });
    after(() => double.stop());
    beforeEach(() => writeContext(stack.folder, "one"));

    const list = async (repository: string, digest: string): Promise<IndexDocument["manifests"]> =>
        (await stack.view.manifest(`${repository}:${listTag(digest)}`)).manifests;

    /** Says of each signature whether it fits, as somebody who pulls the image would find out. */
    const checkAll = async (
        repository: string,
        digest: string,
        policy: SignaturePolicy,
    ): Promise<(string | undefined)[]> => {
        const check = await createSignatureCheck(policy, new AbortController().signal);
        const blobs = stack.view.blobs(repository);
        const found = await list(repository, digest);
        return Promise.all(
            found.map(async (entry) => {
                const { subject, layers } = await stack.view.manifest(`${repository}@${entry.digest}`);
                assert.equal(subject?.digest, digest);
                return check(blobs.get(layers?.[0]?.digest ?? "") ?? Buffer.alloc(0), digest);
            }),
        );
    };

    const [fits, otherKey] = [undefined, "it was made by another key"];

    it("has one signature there and in its copies, again only when the key changes or the signature is lost", async () => {
        const watch = watchProcesses();
        const { outputs } = await stack.up();
        const seen = watch.stop();
        const digest = String(outputs["indexDigest"]?.value);
        const signature = String(outputs["signature"]?.value);
        const [copy = ""] = stack.args.additionalRepositories as string[];
        for (const repository of [stack.repository, copy]) {
            const [entry, ...others] = await list(repository, digest);
            assert.deepEqual(others, []);
            assert.equal(entry?.digest, signature);
            assert.equal(entry.artifactType, "application/vnd.dev.sigstore.bundle.v0.3+json");
            assert.deepEqual(await checkAll(repository, digest, { publicKey: own.publicKey }), [fits]);
            assert.deepEqual(await checkAll(repository, digest, { publicKey: newKey().publicKey }), [otherKey]);
        }
        // One line of the key is enough to know it, and survives any change of line breaks.
        const line = own.privateKey.split("\n")[1] ?? "";
        const places = [...seen, stack.output(), ...readAll(join(stack.folder, ".."))];
        assert.equal(
            places.some((text) => text.includes(line)),
            false,
            "the key is in no argv, output, state or file",
        );

        assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 5 });
        await stack.stack.refresh({ expectNoChanges: true });
        assert.equal((await list(stack.repository, digest)).length, 1);

        const next = newKey();
        stack.args = { ...stack.args, sign: { key: { privateKey: next.privateKey } } };
        const changed = await stack.up();
        assert.deepEqual(changed.summary.resourceChanges, { same: 2, update: 3 }, "component, index and copy");
        assert.equal(changed.outputs["indexDigest"]?.value, digest, "nothing is built");
        assert.deepEqual(await checkAll(stack.repository, digest, { publicKey: next.publicKey }), [otherKey, fits]);
        assert.deepEqual(await checkAll(copy, digest, { publicKey: next.publicKey }), [otherKey, fits]);

        const lost = String(changed.outputs["signature"]?.value);
        await stack.view.deleteManifest(`${stack.repository}@${lost}`);
        const { stdout } = await stack.stack.refresh();
        assert.match(stdout, /the signature sha256:\w+ of sha256:\w+ is lost\. The next up writes one again/);
        const repaired = await stack.up();
        assert.equal(repaired.summary.resourceChanges?.update, 1, "the index alone");
        assert.notEqual(repaired.outputs["signature"]?.value, lost);
    });

    it("moves no tag when the signature does not fit, and no copy is made of what is not signed well", async () => {
        const { outputs } = await stack.up();
        const digest = String(outputs["indexDigest"]?.value);
        const given = stack.args;
        stack.args = { ...given, tags: ["latest", "next"], verify: { publicKey: newKey().publicKey } };
        assert.match(
            await stack.upFails(),
            /does not fit what verify asks for: it was made by another key.*\[signature-invalid\]/s,
        );
        assert.deepEqual((await stack.view.tags(stack.repository)).sort(), ["latest", listTag(digest)]);
        assert.equal((await list(stack.repository, digest)).length, 1, "what does not fit is not written");

        const repository = stack.world.newRepository();
        let args: Partial<ImageCopyArgs> = { verify: { publicKey: newKey().publicKey } };
        const { registry, username, password } = stack.world;
        const registries = [{ address: registry, username, password }];
        const promotion = await createStack(stack.world, () => {
            const source = `${stack.repository}@${digest}`;
            const copy = new ImageCopy("copy", { source, repository, registries, ...args });
            return Promise.resolve({ signature: copy.signature });
        });
        try {
            assert.match(
                await promotion.upFails(),
                /no signature of \S+ fits.*\[signature-invalid\].*made by another key/s,
            );
            assert.deepEqual(stack.view.pushedManifests(repository), []);
            args = { verify: { publicKey: own.publicKey } };
            const promoted = await promotion.up();
            assert.equal(promoted.outputs["signature"]?.value, outputs["signature"]?.value);
            assert.deepEqual(await checkAll(repository, digest, { publicKey: own.publicKey }), [fits]);
            assert.deepEqual((await promotion.up()).summary.resourceChanges, { same: 2 });
        } finally {
            await promotion.remove();
        }
    });

    it("can be signed without a key, once for all runs, and has no tag while nobody certifies it", async () => {
        const keyless = { identityToken: tokenFor(), fulcioUrl: double.url, rekorUrl: double.url };
        const verify = { certificateIdentity: identity, certificateIssuer: issuer, trustedRoot: double.trustedRoot };
        stack.args = { platforms: ["linux/amd64"], sign: { keyless }, verify };
        double.breakWith(403);
        assert.match(await stack.upFails(), /not signed: \S+ gave no certificate \(HTTP 403\) \[sign-failed\]/);
        assert.deepEqual(await stack.view.tags(stack.repository), []);

        double.breakWith(undefined);
        const { outputs } = await stack.up();
        const digest = String(outputs["indexDigest"]?.value);
        assert.deepEqual(await checkAll(stack.repository, digest, verify), [fits]);
        const asked = { ...double.asked };
        const token = tokenFor(identity, { jti: "a new one in each run" });
        stack.args = {
            ...stack.args,
            sign: { keyless: { ...keyless, identityToken: token } },
            tags: ["latest", "next"],
        };
        await stack.up();
        assert.deepEqual(double.asked, asked, "what is signed stays signed");
        assert.equal(await stack.view.digestOf(`${stack.repository}:next`), digest);
        for (const text of [stack.output(), ...readAll(join(stack.folder, ".."))]) {
            assert.equal(text.includes(token) || text.includes(keyless.identityToken), false, "no token is kept");
        }
    });
});

function readAll(folder: string): string[] {
    const files = readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name)));
    return files
        .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile())
        .map((path) => readFileSync(path, "latin1"));
}
