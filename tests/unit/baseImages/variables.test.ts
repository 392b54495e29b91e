import assert from "node:assert/strict";
import { findBaseImages } from "../../../sdk/baseImages/dockerfile";

interface Options {
    readonly args?: string;
    readonly buildArgs?: Record<string, string>;
    readonly platform?: string;
    readonly buildPlatform?: string;
    readonly target?: string;
}

/** The tag that a text becomes in a FROM line. */
function expand(text: string, { args = "", platform = "linux/arm/v7", ...options }: Options = {}): string {
    const found = findBaseImages(`${args}\nFROM x:${text} AS Stage\n`, { platform, ...options });
    return found.unresolved[0]?.reason ?? found.images[0]?.ref.replace(/^.*:/, "") ?? "";
}

describe("variables in FROM", () => {
    const args = "ARG V=1.2.3-rc.1 E= W='a b' X=\"q${V}\" Y=\\$V";
    const table: [text: string, tag: string | RegExp][] = [
        ["$V", "1.2.3-rc.1"],
        ["a${V}b", "a1.2.3-rc.1b"],
        ["$X", "q1.2.3-rc.1"],
        ["a$U.b", "a.b"],
        ["${U:-d}", "d"],
        ["${E:-d}", "d"],
        ["d${E-x}", "d"],
        ["${V:-d}", "1.2.3-rc.1"],
        ["${U:-${U:-$V}}", "1.2.3-rc.1"],
        ["d${E:+x}", "d"],
        ["d${E+x}", "dx"],
        ["d${U+x}", "d"],
        ["${V:+x}", "x"],
        ["${V?no}", "1.2.3-rc.1"],
        ["${U?no}", "U: no"],
        ["d${E?no}", "d"],
        ["${E:?}", "E: it must be set"],
        ["${V#*.}", "2.3-rc.1"],
        ["${V##*.}", "1"],
        ["${V%.*}", "1.2.3-rc"],
        ["${V%%.*}", "1"],
        ["${V#?.}", "2.3-rc.1"],
        ["${V#2}", "1.2.3-rc.1"],
        ["d${U#x}", "d"],
        ["d${U/x/y}", "d"],
        ["v${V#1?2}", "v.3-rc.1"],
        ["${V#\\*}", "1.2.3-rc.1"],
        ["${V/./_}", "1_2.3-rc.1"],
        ["${V//./_}", "1_2_3-rc_1"],
        ["${V/-*/}", "1.2.3"],
        ["${V//[.]/_}", "1.2.3-rc.1"],
        ['"$V"', "1.2.3-rc.1"],
        ["'v'", "v"],
        ['"\\$V"', /"\$V" may hold/],
        ['"a\\v"', /"a\\v" may hold/],
        ["'$V'", /"\$V" may hold/],
        ["\\v", "v"],
        ["$", /"\$" may hold/],
        ["${V:#1}", /:# is unknown/],
        ["${V^^}", /\^ is unknown/],
        ["${V", /} that ends a variable is missing/],
        ["${}", /no name/],
        ['"$V', /double quote is not closed/],
        ["'v", /single quote is not closed/],
        ["${V#\\a}", /\\a means nothing/],
    ];
    for (const [text, tag] of table) {
        it(`turn ${text} into ${String(tag)}`, () => {
            const result = expand(text, { args });
            if (typeof tag === "string") {
                assert.equal(result, tag);
            } else {
                assert.match(result, tag);
            }
        });
    }

    it("have the values of build arguments where an ARG line before the first FROM declares them", () => {
        const buildArgs = { V: "2", U: "3" };
        assert.equal(expand("$V-$D-${U:-none}", { args: "ARG V=1\nARG D=d$V", buildArgs }), "2-d2-none");
        assert.equal(expand("$V", { args: "ARG V", buildArgs }), "2");
    });

    it("have no values of ARG lines further down", () => {
        const found = findBaseImages("FROM a\nARG V=2\nFROM x:${V:-1}", { platform: "linux/amd64" });
        assert.deepEqual(found.images, [{ ref: "docker.io/library/x:1", platform: "linux/amd64" }]);
    });

    it("are declared one or several in a line, with white space in quotes or escaped", () => {
        const args = `ARG A='x "y' B="z' w\\" v" C=u\\ t D=1 E\nARG\tF=2`;
        assert.equal(expand("$D-$F-${A#???}-${B#??????}-${C%??}-${E-unset}", { args }), "1-2-y-v-u-unset");
    });

    it("have the last value that is declared", () => {
        assert.equal(expand("$V", { args: "ARG V=1\nARG V=${V}2\nARG V" }), "12");
    });

    it("know the platforms without being declared", () => {
        const text = "$TARGETOS.$TARGETARCH.$TARGETVARIANT.$BUILDOS.$BUILDARCH.$BUILDVARIANT.$TARGETSTAGE";
        assert.equal(expand(text, { buildPlatform: "linux/arm64" }), "linux.arm.v7.linux.arm64..stage");
        assert.equal(expand("${TARGETPLATFORM//\\//.}", {}), "linux.arm.v7");
        assert.equal(expand("${BUILDPLATFORM//\\//.}", {}), "linux.arm.v7");
        assert.equal(expand("x$TARGETVARIANT", { platform: "linux/arm64/v8" }), "x");
        assert.equal(expand("$TARGETSTAGE", { target: "STAGE" }), "STAGE");
    });

    it("know the stage that is built by default", () => {
        const found = findBaseImages("FROM a AS one\nFROM x:$TARGETSTAGE AS two", { platform: "linux/amd64" });
        assert.deepEqual(found.images, [{ ref: "docker.io/library/x:two", platform: "linux/amd64" }]);
        assert.equal(
            findBaseImages("FROM x:$TARGETSTAGE", { platform: "linux/amd64" }).images[0]?.ref,
            "docker.io/library/x:default",
        );
    });

    it("let build arguments win over the platforms", () => {
        assert.equal(expand("$TARGETARCH", { buildArgs: { TARGETARCH: "mine" } }), "mine");
    });

    it("are also replaced in the platform", () => {
        const text = "ARG ARCH=arm64\nFROM --platform=$TARGETOS/${ARCH} x";
        const found = findBaseImages(text, { platform: "linux/amd64", buildArgs: { ARCH: "s390x" } });
        assert.deepEqual(found.images, [{ ref: "docker.io/library/x:latest", platform: "linux/s390x" }]);
    });
});
