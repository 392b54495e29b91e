import type { InputProblem } from "../resources/lifecycle";
import type { Properties } from "../resources/values";
import { collectProblems } from "./component";
import { checkExport, checkNames } from "./exports";
import { checkSource } from "./imageCopy";
import { checkTarget } from "./target";

/** Everything that is wrong with the inputs of an `ImageExport`, by property, as far as they are known. */
export function findImageExportProblems(inputs: Properties): InputProblem[] {
    return collectProblems("multiarch:index:ImageExport", inputs, [
        checkSource,
        checkTarget,
        checkKind,
        (known) => checkNames(known["names"], "names"),
    ]);
}

function checkKind(inputs: Properties): InputProblem[] {
    return checkExport(inputs, "");
}
