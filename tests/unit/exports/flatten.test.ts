import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { gzipSync, zstdCompressSync } from "node:zlib";

import { MultiArchError } from "../../../sdk/errors";
import { describeFiles, openLayers, packLayer, type LayerEntry } from "./layers";

/** Layers from the lowest one on, and what a container would see. */
const cases: [title: string, layers: LayerEntry[][], files: string[]][] = [
    ["a file of a later layer wins", [[{ path: "a", text: "1" }], [{ path: "a", text: "2" }]], ["a: 2"]],
    [
        "a whiteout hides a file, and a folder with all that is in it",
        [
            [{ path: "a", text: "1" }, { path: "d/" }, { path: "d/x", text: "x" }, { path: "e", text: "e" }],
            [{ path: ".wh.a" }, { path: ".wh.d" }],
        ],
        ["e: e"],
    ],
    [
        "a whiteout hides nothing of its own layer, wherever it stands in it",
        [
            [{ path: "d/" }, { path: "d/old", text: "o" }],
            [{ path: "d/" }, { path: "d/new", text: "n" }, { path: ".wh.d" }],
        ],
        ["d/", "d/new: n"],
    ],
    [
        "an opaque folder keeps only what its own layer and later ones have",
        [
            [{ path: "d/" }, { path: "d/old", text: "o" }, { path: "d/sub/" }, { path: "d/sub/x", text: "x" }],
            [{ path: "d/" }, { path: "d/new", text: "n" }, { path: "d/.wh..wh..opq" }],
            [{ path: "d/newer", text: "m" }],
        ],
        ["d/", "d/new: n", "d/newer: m"],
    ],
    [
        "a file in the place of a folder replaces all of it, and the other way round",
        [
            [{ path: "d/" }, { path: "d/x", text: "x" }, { path: "f", text: "f" }],
            [{ path: "d", text: "d" }, { path: "f/" }],
        ],
        ["d: d", "f/"],
    ],
    [
        "hard links keep their content when the name it came with is hidden",
        [
            [
                { path: "z", text: "z" },
                { path: "l1", kind: "hardlink", link: "z" },
                { path: "l2", kind: "hardlink", link: "/z" },
            ],
            [{ path: ".wh.z" }],
        ],
        ["l1: z", "l2 = l1"],
    ],
    [
        "a hard link to a file of a lower layer, and one to a link",
        [
            [
                { path: "a", text: "a" },
                { path: "s", kind: "symlink", link: "/nowhere" },
            ],
            [
                { path: "b", kind: "hardlink", link: "a" },
                { path: "t", kind: "hardlink", link: "s" },
            ],
        ],
        ["a: a", "b = a", "s -> /nowhere", "t = s"],
    ],
    [
        "a path through a link is followed inside the image, and never out of it",
        [
            [
                { path: "usr/lib/" },
                { path: "lib", kind: "symlink", link: "usr/lib" },
                { path: "up", kind: "symlink", link: "../../../../etc" },
            ],
            [
                { path: "lib/a", text: "a" },
                { path: "up/passwd", text: "p" },
            ],
        ],
        ["etc/", "etc/passwd: p", "lib -> usr/lib", "up -> ../../../../etc", "usr/", "usr/lib/", "usr/lib/a: a"],
    ],
    [
        "a folder in the place of a link to one replaces the link",
        [
            [{ path: "usr/" }, { path: "lib", kind: "symlink", link: "usr" }],
            [{ path: "lib/" }, { path: "lib/a", text: "a" }],
        ],
        ["lib/", "lib/a: a", "usr/"],
    ],
    [
        "paths with a dot, a slash or nothing in front are the same; AUFS's own notes are none",
        [
            [
                { path: "./" },
                { path: "./a", text: "a" },
                { path: "/b", text: "b" },
                { path: ".wh..wh.plnk/1", text: "x" },
                { path: ".wh..wh.aufs" },
            ],
        ],
        ["a: a", "b: b"],
    ],
    [
        "names that are no UTF-8, and longer than a header has room for",
        [
            [
                { path: "caf\xe9", text: "latin" },
                { path: `${"d".repeat(90)}/${"f".repeat(200)}`, text: "long" },
            ],
        ],
        ["caf\xe9: latin", `${"d".repeat(90)}/`, `${"d".repeat(90)}/${"f".repeat(200)}: long`],
    ],
];

/** What an image must not hold. */
const refused: [title: string, layers: LayerEntry[][], reason: RegExp][] = [
    ["a path that leads out", [[{ path: "../x", text: "x" }]], /\.\.\/x leads out of the image/],
    ["one with the dots inside", [[{ path: "a/../../x", text: "x" }]], /leads out of the image/],
    [
        "a hard link that leads out",
        [[{ path: "a", kind: "hardlink", link: "../../etc/passwd" }]],
        /leads out of the image/,
    ],
    [
        "a hard link to nothing",
        [[{ path: "a", kind: "hardlink", link: "b" }]],
        /is a hard link to b, which is not there/,
    ],
    ["a hard link to a folder", [[{ path: "b/" }, { path: "a", kind: "hardlink", link: "b" }]], /which is a folder/],
    [
        "links that go round",
        [[{ path: "a", kind: "symlink", link: "b" }, { path: "b", kind: "symlink", link: "a" }, { path: "a/x" }]],
        /more than 255 links/,
    ],
    [
        "a file as a folder",
        [
            [
                { path: "a", text: "a" },
                { path: "a/b", text: "b" },
            ],
        ],
        /leads through a, which is no folder/,
    ],
];

describe("the layers of an image", () => {
    for (const [title, layers, expected] of cases) {
        it(title, async () => {
            const files = await openLayers(layers.map((entries) => ({ tar: packLayer(entries) })));
            try {
                assert.deepEqual(await describeFiles(files), expected);
            } finally {
                await files.remove();
            }
        });
    }

    for (const [title, layers, reason] of refused) {
        it(`are refused with ${title}`, async () => {
            const opened = openLayers(layers.map((entries) => ({ tar: packLayer(entries) })));
            await assert.rejects(opened, (error) => {
                assert.ok(error instanceof MultiArchError && error.code === "export-failed", String(error));
                assert.match(error.message, reason);
                assert.match(error.message, /the layer sha256:/);
                return true;
            });
        });
    }

    const tar = packLayer([
        { path: "big", text: randomBytes(300_000).toString("latin1") },
        { path: "end", text: "end" },
    ]);
    const half = tar.length >>> 1;
    const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    const compressed: [title: string, blob: Buffer][] = [
        ["nothing", tar],
        ["gzip", gzipSync(tar)],
        [
            "gzip in several members, as eStargz has them",
            Buffer.concat([gzipSync(tar.subarray(0, half)), gzipSync(tar.subarray(half))]),
        ],
        ["zstd", zstdCompressSync(tar)],
        [
            "zstd in several frames, with notes between them, as zstd:chunked has them",
            Buffer.concat([
                skippable,
                zstdCompressSync(tar.subarray(0, half)),
                skippable,
                zstdCompressSync(tar.subarray(half)),
                skippable,
            ]),
        ],
    ];
    for (const [title, blob] of compressed) {
        it(`are read when they are compressed with ${title}, also when the connection is lost on the way`, async () => {
            for (const failures of [0, 2]) {
                const files = await openLayers([{ tar, blob }], { failures });
                try {
                    const lines = await describeFiles(files);
                    assert.equal(lines.length, 2);
                    assert.ok((lines[0]?.length ?? 0) > 300_000);
                    assert.equal(lines[1], "end: end");
                } finally {
                    await files.remove();
                }
            }
        });
    }

    const wrong: [title: string, open: () => Promise<unknown>, reason: RegExp][] = [
        ["cut off", () => openLayers([{ tar, blob: zstdCompressSync(tar).subarray(0, -5) }]), /ends too early/],
        ["cut off in gzip", () => openLayers([{ tar, blob: gzipSync(tar).subarray(0, -5) }]), /unexpected end/],
        [
            "not what the configuration says",
            () => openLayers([{ tar }], { diffIds: [`sha256:${"0".repeat(64)}`] }),
            /the configuration of the image says sha256:0/,
        ],
        ["no tar archive", () => openLayers([{ tar: Buffer.alloc(2048, "x") }]), /it is no tar archive/],
        ["no file system", () => openLayers([{ tar, mediaType: "application/vnd.in-toto+json" }]), /is no file system/],
        ["a registry that stays away", () => openLayers([{ tar }], { failures: 9 }), /the connection was lost/],
    ];
    for (const [title, open, reason] of wrong) {
        it(`are refused when one is ${title}`, async () => {
            await assert.rejects(open, reason);
        });
    }
});
