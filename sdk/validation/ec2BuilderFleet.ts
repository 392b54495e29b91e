import * as pulumi from "@pulumi/pulumi";

import type { FleetInputs } from "../builders/ec2/fleetSettings";
import type { Ec2BuilderFleetArgs } from "../ec2FleetArgs";
import type { InputProblem } from "../resources/lifecycle";
import type { Properties } from "../resources/values";
import { maskOutputs, throwProblems } from "./assert";
import { checkParallelism } from "./builders";
import { collectProblems } from "./component";
import { checkFleet } from "./ec2Fleet";

const fleetType = "multiarch:index:Ec2BuilderFleet";

/** Throws everything that is wrong with the inputs that are known while the program runs. */
export function assertKnownFleetInputs(name: string, args: Ec2BuilderFleetArgs): void {
    throwProblems(fleetType, name, findFleetProblems(maskOutputs(args) as Properties));
}

/** Hands the inputs on once all of them are known and right. */
export function assertFleetInputs(name: string, args: Ec2BuilderFleetArgs): pulumi.Output<FleetInputs> {
    return pulumi.output(args).apply((inputs) => {
        throwProblems(fleetType, name, findFleetProblems(inputs));
        return inputs;
    });
}

/** Everything that is wrong with the inputs of an `Ec2BuilderFleet`, by property, as far as they are known. */
export function findFleetProblems(inputs: Properties): InputProblem[] {
    const parallelism = ({ maxParallelism }: Properties) => checkParallelism("maxParallelism", maxParallelism);
    return collectProblems(fleetType, inputs, [checkFleet, parallelism], ["subnetId", "subnetIds"]);
}
