import assert from "node:assert/strict";
import fc from "fast-check";
import { MultiArchError } from "../../sdk/errors";
import { formatPlatform, isNativeOn, knownPlatforms, matchesPlatform, parsePlatform } from "../../sdk/platform";

function refusalOf(text: string): string {
    try {
        parsePlatform(text);
    } catch (error) {
        assert.ok(error instanceof MultiArchError);
        assert.equal(error.code, "platform-unknown");
        return error.fields.what;
    }
    return assert.fail(`${text} was taken`);
}

describe("a platform", () => {
    const spellings: [string, string][] = [
        ["linux/amd64", "linux/amd64"],
        ["linux/x86_64", "linux/amd64"],
        ["linux/x86-64", "linux/amd64"],
        ["linux/amd64/v1", "linux/amd64"],
        ["linux/amd64/v3", "linux/amd64/v3"],
        ["linux/i386", "linux/386"],
        ["linux/aarch64", "linux/arm64"],
        ["linux/arm64/v8", "linux/arm64"],
        ["linux/arm64/8", "linux/arm64"],
        ["linux/arm", "linux/arm/v7"],
        ["linux/arm/7", "linux/arm/v7"],
        ["linux/arm/v6", "linux/arm/v6"],
        ["linux/armhf", "linux/arm/v7"],
        ["linux/armel", "linux/arm/v6"],
        ["Linux/ARM64", "linux/arm64"],
        ["macos/arm64", "darwin/arm64"],
    ];
    for (const [written, normal] of spellings) {
        it(`written ${written} is ${normal}`, () => {
            assert.equal(formatPlatform(parsePlatform(written)), normal);
        });
    }

    it("keeps its normal form when it is read again", () => {
        fc.assert(
            fc.property(fc.constantFrom(...knownPlatforms), (name) => {
                assert.equal(formatPlatform(parsePlatform(name)), name);
            }),
        );
    });

    const refusals: [string, string][] = [
        ["linux/arm46", "linux/arm64"],
        ["linux/amd46", "linux/amd64"],
        ["linux-arm64", "linux/arm64"],
        ["arm64", "linux/arm64"],
        ["x86_64", "linux/amd64"],
        ["linux/x86", "linux/386"],
        ["lunix/amd64", "linux/amd64"],
    ];
    for (const [written, meant] of refusals) {
        it(`written ${written} is refused with a hint to ${meant}`, () => {
            assert.equal(refusalOf(written), `"${written}" is not a platform: did you mean ${meant}?`);
        });
    }

    for (const written of [
        "",
        "linux",
        "linux/",
        "/amd64",
        "linux/amd64/",
        "linux/arm64/v8/x",
        "solaris/vax",
        "plan9/z80",
    ]) {
        it(`written ${JSON.stringify(written)} is refused`, () => {
            assert.match(
                refusalOf(written),
                /is not a platform(: did|; write os\/architecture, for example linux\/amd64$)/,
            );
        });
    }
});

describe("what a builder offers", () => {
    const offers: [wanted: string, offered: string, matches: boolean][] = [
        ["linux/amd64", "linux/amd64", true],
        ["linux/amd64", "linux/amd64/v3", true],
        ["linux/amd64/v3", "linux/amd64/v2", false],
        ["linux/amd64/v2", "linux/amd64", false],
        ["linux/arm64", "linux/arm64/v8", true],
        ["linux/arm/v6", "linux/arm/v7", true],
        ["linux/arm/v7", "linux/arm/v6", false],
        ["linux/arm/v7", "linux/arm64", false],
        ["linux/386", "linux/amd64", false],
        ["linux/amd64", "windows/amd64", false],
        ["linux/arm64", "linux/amd64", false],
    ];
    for (const [wanted, offered, matches] of offers) {
        it(`${offered} ${matches ? "serves" : "does not serve"} ${wanted}`, () => {
            assert.equal(matchesPlatform(parsePlatform(wanted), parsePlatform(offered)), matches);
        });
    }
});

describe("a machine", () => {
    const machines: [wanted: string, machine: string, native: boolean][] = [
        ["linux/amd64", "linux/amd64", true],
        ["linux/amd64/v3", "linux/amd64", true],
        ["linux/386", "linux/amd64", true],
        ["linux/amd64", "linux/386", false],
        ["linux/arm64", "linux/arm64", true],
        ["linux/arm/v7", "linux/arm64", true],
        ["linux/arm/v6", "linux/arm/v7", true],
        ["linux/arm/v7", "linux/arm/v6", false],
        ["linux/arm64", "linux/amd64", false],
        ["linux/amd64", "linux/arm64", false],
        ["linux/riscv64", "linux/amd64", false],
        ["windows/amd64", "linux/amd64", false],
    ];
    for (const [wanted, machine, native] of machines) {
        it(`with ${machine} runs ${wanted} ${native ? "natively" : "only by emulation"}`, () => {
            assert.equal(isNativeOn(parsePlatform(wanted), parsePlatform(machine)), native);
        });
    }
});
