import { whatOf } from "../errors";
import { parseReference } from "../registry/reference";
import type { InputProblem } from "../resources/lifecycle";
import type { Properties } from "../resources/values";
import { collectProblems } from "./component";
import { checkVerify } from "./signing";
import { checkTags, checkTarget } from "./target";

/** Everything that is wrong with the inputs of an `ImageCopy`, by property, as far as they are known. */
export function findImageCopyProblems(inputs: Properties): InputProblem[] {
    return collectProblems("multiarch:index:ImageCopy", inputs, [checkSource, checkTarget, checkTags, checkVerify]);
}

/** A source without tag and digest could only mean `latest`, and nobody should ship that by accident. */
export function checkSource(inputs: Properties): InputProblem[] {
    const source = inputs["source"] as string | undefined;
    if (source === undefined) {
        return [];
    }
    try {
        const { tag, digest } = parseReference(source);
        const reason = `"${source}" names neither a digest nor a tag. Add @sha256:..., or a tag such as :1.4.2`;
        return tag === undefined && digest === undefined ? [{ property: "source", reason }] : [];
    } catch (error) {
        return [{ property: "source", reason: whatOf(error) }];
    }
}
