/**
 * The first version in a tool's answer, without the `v`: `buildx v0.35.0 abc` gives `0.35.0`.
 * @param {string} text
 * @returns {string | undefined}
 */
export function findVersion(text) {
    return /(\d+\.\d+(?:\.\d+)?)/.exec(text)?.[1];
}

/**
 * Whether a version is the wanted one or newer; `1.26` counts as `1.26.0`, and what follows the numbers is ignored.
 * @param {string} version
 * @param {string} wanted
 */
export function atLeast(version, wanted) {
    const [left, right] = [numbersOf(version), numbersOf(wanted)];
    for (let i = 0; i < 3; i++) {
        if (left[i] !== right[i]) {
            return Number(left[i]) > Number(right[i]);
        }
    }
    return true;
}

/** @param {string} version */
function numbersOf(version) {
    const [, major, minor, patch] = /^v?(\d+)\.(\d+)(?:\.(\d+))?/.exec(version) ?? [];
    return [Number(major ?? 0), Number(minor ?? 0), Number(patch ?? 0)];
}
