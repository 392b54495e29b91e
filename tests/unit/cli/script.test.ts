import assert from "node:assert/strict";

import { readScript } from "../../../sdk/cli/convert/script";
import { reference } from "../../../sdk/cli/convert/references";

/** The values of one option in all builds of a script. */
function valuesOf(script: string, option = "label"): (readonly string[])[] {
    const { builds, refusals } = readScript(script);
    assert.deepEqual(refusals, []);
    return builds.map(({ options }) => options.get(option) ?? []);
}

describe("a script", () => {
    for (const [written, read] of [
        ["a=b", "a=b"],
        ["'a=b  c'", "a=b  c"],
        ['"a=b \\"c\\" \\$d \\x"', 'a=b "c" $d \\x'],
        ["a=b\\ c", "a=b c"],
        [`a='b'"c"d`, "a=bcd"],
        ["'a=$B `c`'", "a=$B `c`"],
        ["a=b#c", "a=b#c"],
        ['"a=b\\\nc"', "a=bc"],
        ["a=5$", "a=5$"],
    ] as const) {
        it(`reads ${JSON.stringify(written)} as a shell does`, () => {
            assert.deepEqual(valuesOf(`docker build --label ${written} .`), [[read]]);
        });
    }

    it("follows continued lines, comments, redirections and several commands on a line", () => {
        const script = `
            # docker build --label no=1 .
            docker buildx build \\
                --label a=1 \\
                . >log 2>&1 && docker build --label b=2 . | tee log; DOCKER_BUILDKIT=1 docker build --label c=3 . # end
        `;
        assert.deepEqual(valuesOf(script), [["a=1"], ["b=2"], ["c=3"]]);
        assert.deepEqual(
            readScript(script).builds.map(({ place }) => place),
            ["line 3", "line 5", "line 5"],
        );
    });

    it("takes a here-document for what it is", () => {
        const script = "cat > x <<'END'\ndocker build --label no=1 .\nEND\ndocker build --label a=1 .";
        assert.deepEqual(valuesOf(script), [["a=1"]]);
    });

    it("puts in what a variable was set to, and makes a setting of every other variable", () => {
        const script = `
            export NAME=site
            COMMIT=$(git rev-parse HEAD)
            API_TOKEN=abcdef
            docker build --label n=$NAME --label "c=\${COMMIT}" --label e=\${EDITION:-free} --label t=$API_TOKEN .
        `;
        const labels = [
            "n=site",
            `c=${reference("commit")}`,
            `e=${reference("edition")}`,
            `t=${reference("apiToken")}`,
        ];
        assert.deepEqual(valuesOf(script), [labels]);
        const { settings } = readScript(script);
        assert.deepEqual(
            settings.map(({ name, secret = false, default: byDefault }) => [name, secret, byDefault]),
            [
                ["commit", false, undefined],
                ["apiToken", true, undefined],
                ["edition", false, "free"],
            ],
        );
        assert.equal(JSON.stringify(settings).includes("abcdef"), false, "a value that looks secret is not kept");
    });

    it("does not trust a variable that is set twice", () => {
        const script = "V=1\nif x; then V=2; fi\ndocker build --label v=$V .";
        assert.deepEqual(valuesOf(script), [[`v=${reference("v")}`]]);
    });

    it("names what only a shell can know, by line and option", () => {
        const script = `
            docker build --label=c=$(date) .
            docker build --tag "$1" .
            docker build --platform $PLATFORMS .
            docker build $ARGS .
            for v in 1 2; do docker build --label v=$v .; done
            docker build --label \${A%.*} .
        `;
        assert.deepEqual(
            readScript(script).refusals.map(({ what }) => what),
            [
                "line 2: --label",
                "line 3: a word",
                "line 4: --platform",
                "line 5: argument 2",
                "line 6: the build",
            ].concat("line 7: a word"),
        );
    });

    it("says which other commands of docker it has, and none of their arguments", () => {
        const script = "docker login -p hunter2\ndocker buildx create --use\ndocker build .\ndocker manifest push x";
        assert.deepEqual(readScript(script).notes, [
            "The script runs docker login, docker buildx create, docker manifest push too. Builders, accounts and tags are inputs here.",
        ]);
    });

    it("hands on variables that buildx looks at", () => {
        const { builds } = readScript("export SOURCE_DATE_EPOCH=0\nBUILDX_BUILDER=mine docker buildx build .");
        assert.deepEqual(builds[0]?.env, { SOURCE_DATE_EPOCH: "0", BUILDX_BUILDER: "mine" });
    });
});
