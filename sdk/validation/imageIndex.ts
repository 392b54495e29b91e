import { isDigest } from "../registry/reference";
import type { InputProblem } from "../resources/lifecycle";
import { hasUnknown, unknownValue, type Properties } from "../resources/values";
import { collectProblems } from "./component";
import { checkPlatforms } from "./platforms";
import { checkSign } from "./signing";
import { checkTags, checkTarget } from "./target";

interface Image {
    readonly platform: string;
    readonly digest: string;
    readonly manifests?: string | readonly { readonly digest: string }[];
}

/** Everything that is wrong with the inputs of an `ImageIndex`, by property, as far as they are known. */
export function findImageIndexProblems(inputs: Properties): InputProblem[] {
    return collectProblems("multiarch:index:ImageIndex", inputs, [checkTarget, checkTags, checkImages, checkSign]);
}

function checkImages(inputs: Properties): InputProblem[] {
    const images = inputs["images"] as (Image | string)[] | undefined;
    if (images === undefined) {
        return [];
    }
    if (images.length === 0) {
        return [{ property: "images", reason: "is empty: an index needs at least one image" }];
    }
    const known = images.map((image) => (typeof image === "string" ? undefined : image));
    return [
        ...checkPlatforms(
            known.map((image) => image?.platform ?? unknownValue),
            (index) => `images[${index}].platform`,
        ),
        ...known.flatMap((image, index) => (image ? checkDigests(`images[${index}]`, image) : [])),
    ];
}

function checkDigests(path: string, { digest, manifests }: Image): InputProblem[] {
    const listed = typeof manifests === "string" ? [] : (manifests ?? []);
    return [
        ...checkDigest(`${path}.digest`, digest),
        ...listed.flatMap((manifest, index) => checkDigest(`${path}.manifests[${index}].digest`, manifest.digest)),
        ...(Array.isArray(manifests) && listed.length === 0
            ? [{ property: `${path}.manifests`, reason: "is empty: there is nothing the index could list" }]
            : []),
    ];
}

function checkDigest(property: string, digest: string | undefined): InputProblem[] {
    if (digest === undefined || hasUnknown(digest) || isDigest(digest)) {
        return [];
    }
    return [{ property, reason: `"${digest}" is not sha256: followed by 64 hexadecimal digits in lower case` }];
}
