import assert from "node:assert/strict";
import { type BaseImageOptions, findBaseImages } from "../../../sdk/baseImages/dockerfile";

// What these tests expect is what BuildKit v0.31.1 loads for the same texts.

export const amd64 = "linux/amd64";
export const arm64 = "linux/arm64";

/** The references of the images, with the platform where it is not the one that is built. */
export function find(text: string, options: Partial<BaseImageOptions> = {}): string[] {
    const platform = options.platform ?? amd64;
    const { images, unresolved } = findBaseImages(text, { ...options, platform });
    assert.deepEqual(unresolved, []);
    return images.map((image) => {
        const ref = image.ref.replace("docker.io/library/", "");
        return image.platform === platform ? ref : `${ref} ${image.platform}`;
    });
}

/** A Dockerfile, and the images that a build of it pulls. */
export interface Case {
    readonly text: string;
    readonly options?: Partial<BaseImageOptions>;
    readonly images: readonly string[];
}

/** Makes a test of each case, by its title. */
export function check(cases: Readonly<Record<string, Case>>): void {
    for (const [title, { text, options, images }] of Object.entries(cases)) {
        it(title, () => {
            assert.deepEqual(find(text, options), images);
        });
    }
}
