import type { InputProblem } from "../resources/lifecycle";
import { unknownValue, type Properties } from "../resources/values";
import { checkBuild } from "./build";
import { checkNode } from "./builders";
import { collectProblems } from "./component";
import { checkPlatform } from "./platforms";
import { checkTarget } from "./target";

/** Everything that is wrong with the inputs of a `PlatformImage`, by property, as far as they are known. */
export function findPlatformImageProblems(inputs: Properties): InputProblem[] {
    return collectProblems("multiarch:index:PlatformImage", inputs, [
        checkOwnPlatform,
        checkTarget,
        checkBuild,
        checkNodes,
    ]);
}

function checkOwnPlatform(inputs: Properties): InputProblem[] {
    const platform = inputs["platform"] as string | undefined;
    return platform === undefined ? [] : checkPlatform("platform", platform);
}

/** A component's nodes carry the place where the program wrote them: that is where a problem is to be mended. */
function checkNodes(inputs: Properties): InputProblem[] {
    const nodes = (inputs["nodes"] as Parameters<typeof checkNode>[1][] | undefined) ?? [];
    return nodes.flatMap((node, index) => {
        const written = (node as { property?: unknown }).property;
        const path = typeof written === "string" && written !== unknownValue ? written : `nodes[${index}]`;
        return checkNode(path, node);
    });
}
