import type { InputProblem } from "../resources/lifecycle";
import type { Properties } from "../resources/values";
import { collectProblems } from "./component";
import { checkTags, checkTarget } from "./target";

/** Everything that is wrong with the inputs of an `ImageIndex`, by property, as far as they are known. */
export function findImageIndexProblems(inputs: Properties): InputProblem[] {
    return collectProblems("multiarch:index:ImageIndex", inputs, [checkTarget, checkTags, checkImages]);
}

function checkImages(inputs: Properties): InputProblem[] {
    const images = inputs["images"] as unknown[] | undefined;
    return images?.length === 0 ? [{ property: "images", reason: "is empty: an index needs at least one image" }] : [];
}
