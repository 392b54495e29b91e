import type { InputProblem } from "../resources/lifecycle";
import type { Properties } from "../resources/values";
import { collectProblems } from "./component";
import { checkRegion, checkText } from "./ec2Instance";

/** Everything that is wrong with the inputs of a `SpotRequest`, by property, as far as they are known. */
export function findSpotRequestProblems(inputs: Properties): InputProblem[] {
    return collectProblems("multiarch:index:SpotRequest", inputs, [checkRequest]);
}

function checkRequest({ requestId, region }: Properties): InputProblem[] {
    const reason = "is not the id of a spot request, such as sir-0abcdefg. Only a spot instance has one";
    return [...checkText("requestId", requestId, /^sir-[0-9a-z]+$/, reason), ...checkRegion("region", region)];
}
