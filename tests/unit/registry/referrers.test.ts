import assert from "node:assert/strict";

import { digestOf, mediaTypes, type Descriptor } from "../../../sdk/registry/manifests";
import { addEntry, listReferrers, putReferrer, referrersTag } from "../../../sdk/registry/referrers";
import type { RegistryCall, Session } from "../../../sdk/registry/session";
import { parseManifest } from "../../../sdk/registry/manifests";
import type { Answer } from "../../../sdk/registry/transport";
import { refer, useRegistryStage } from "../../support/registryClient";

const subject = `sha256:${"a".repeat(64)}`;
const where = { registry: "registry.example.com", repository: "team/app" };
const text = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: "application/vnd.oci.empty.v1+json", digest: subject, size: 2 },
    layers: [],
});
const referrer = { subject, bytes: Buffer.from(text), artifactType: "application/x-note", annotations: { a: "b" } };

function entryOf(digit: string): Descriptor {
    return { mediaType: mediaTypes.ociManifest, digest: `sha256:${digit.repeat(64)}`, size: 3 };
}

function listOf(...manifests: object[]): Buffer {
    return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }));
}

/** A registry that answers by path; what it is asked is noted. */
function sessionOf(answers: (call: RegistryCall) => Partial<Answer> & { status: number }) {
    const asked: string[] = [];
    const session: Session = {
        call: (call) => {
            const url = new URL(call.path, "https://registry.example.com/");
            asked.push(`${call.method} ${url.pathname}${url.search}`);
            return Promise.resolve({ headers: {}, body: Buffer.alloc(0), url, ...answers(call) });
        },
        refuse: () => new Error("refused") as never,
    };
    return { session, asked };
}

/** The tag that stands in for a list, which others may change while it is written. */
function tagOf(list?: Buffer) {
    const state = { list, writes: 0, lost: new Set<string>(), beforeWrite: (): void => undefined };
    const access = {
        find: () => {
            const bytes = state.list;
            const found = bytes && {
                bytes,
                manifest: parseManifest(bytes, ""),
                descriptor: { mediaType: mediaTypes.ociIndex, digest: digestOf(bytes), size: bytes.length },
            };
            return Promise.resolve(found);
        },
        exists: (_repository: object, digest: string) => Promise.resolve(!state.lost.has(digest)),
        put: (_repository: object, tag: string, bytes: Uint8Array) => {
            assert.equal(tag, referrersTag(subject));
            state.writes += 1;
            state.list = Buffer.from(bytes);
            state.beforeWrite();
            return Promise.resolve();
        },
    };
    const digests = (): string[] => {
        const { manifests } = JSON.parse(state.list?.toString() ?? "{}") as { manifests: Descriptor[] };
        return manifests.map(({ digest }) => digest);
    };
    return { state, access, digests };
}

describe("what refers to a digest", () => {
    it("is the list that the registry keeps, all pages of it", async () => {
        const { session, asked } = sessionOf(({ path }) =>
            String(path).includes("page=2")
                ? { status: 200, body: listOf(entryOf("2")) }
                : {
                      status: 200,
                      body: listOf(entryOf("1")),
                      headers: { link: `</v2/team/app/referrers/${subject}?page=2>; rel="next"` },
                  },
        );
        const found = await listReferrers(session, where, subject, tagOf(listOf(entryOf("9"))).access);
        assert.deepEqual(found, [entryOf("1"), entryOf("2")]);
        const path = `GET /v2/team/app/referrers/${subject}`;
        assert.deepEqual(asked, [path, `${path}?page=2`]);
    });

    for (const [title, answer] of [
        ["keeps none", { status: 404 }],
        ["answers any path", { status: 200, body: Buffer.from("<html>") }],
    ] as const) {
        it(`is what the tag lists where the registry ${title}`, async () => {
            const { session } = sessionOf(() => answer);
            assert.deepEqual(await listReferrers(session, where, subject, tagOf(listOf(entryOf("9"))).access), [
                entryOf("9"),
            ]);
            assert.deepEqual(await listReferrers(session, where, subject, tagOf().access), []);
        });
    }
});

describe("a manifest about another one", () => {
    const digest = digestOf(referrer.bytes);

    it("is written and nothing else where the registry lists it by itself", async () => {
        const tag = tagOf();
        const { session, asked } = sessionOf(() => ({ status: 201, headers: { "oci-subject": subject } }));
        assert.equal(await putReferrer(session, where, referrer, tag.access), digest);
        assert.deepEqual(asked, [`PUT /v2/team/app/manifests/${digest}`]);
        assert.equal(tag.state.writes, 0);
    });

    it("is added to the tag otherwise, and what others wrote there stays byte for byte", async () => {
        const foreign = { ...entryOf("9"), artifactType: "application/x-else", extra: { kept: true } };
        const tag = tagOf(listOf(foreign));
        const { session } = sessionOf(() => ({ status: 201 }));
        await putReferrer(session, where, referrer, tag.access);
        const { manifests } = JSON.parse(tag.state.list?.toString() ?? "") as { manifests: object[] };
        const { annotations, artifactType } = referrer;
        const own = {
            mediaType: mediaTypes.ociManifest,
            digest,
            size: referrer.bytes.length,
            annotations,
            artifactType,
        };
        assert.deepEqual(manifests, [foreign, own]);
        await putReferrer(session, where, referrer, tag.access);
        assert.equal(tag.state.writes, 1, "it is there already");
    });

    it("is added again when another pipeline wrote the tag at the same time", async () => {
        const tag = tagOf();
        tag.state.beforeWrite = () => {
            tag.state.list = tag.state.writes === 1 ? listOf(entryOf("9")) : tag.state.list;
        };
        const { session } = sessionOf(() => ({ status: 201 }));
        await putReferrer(session, where, referrer, tag.access);
        assert.deepEqual(tag.digests(), [entryOf("9").digest, digest]);
    });

    it("fails by name when others never stop to write the tag", async () => {
        const tag = tagOf();
        tag.state.beforeWrite = () => (tag.state.list = undefined);
        const { session } = sessionOf(() => ({ status: 201 }));
        await assert.rejects(putReferrer(session, where, referrer, tag.access), /others keep changing it/);
    });

    it("takes entries along only while they are there: a registry refuses a list that names what is lost", async () => {
        const tag = tagOf(listOf(entryOf("8"), entryOf("9")));
        tag.state.lost.add(entryOf("8").digest);
        const { session } = sessionOf(() => ({ status: 201 }));
        await putReferrer(session, where, referrer, tag.access);
        assert.deepEqual(tag.digests(), [entryOf("9").digest, digest]);
    });

    it("makes a list of its own where there is none", () => {
        assert.deepEqual(parseManifest(addEntry(undefined, entryOf("1")), ""), {
            kind: "index",
            mediaType: mediaTypes.ociIndex,
            manifests: [entryOf("1")],
            annotations: {},
        });
    });
});

describe("a registry without a list of referrers", () => {
    const stage = useRegistryStage();

    it("is written and read through the tag", async () => {
        const double = await stage.double();
        const client = stage.client();
        const place = refer(double);
        assert.deepEqual(await client.listReferrers(place, subject), []);
        const digest = await client.putReferrer(place, referrer);
        const found = await client.listReferrers(place, subject);
        assert.deepEqual(
            found.map((entry) => entry.digest),
            [digest],
        );
        assert.equal(
            (await client.headManifest({ ...place, tag: referrersTag(subject) }))?.mediaType,
            mediaTypes.ociIndex,
        );
    });
});
