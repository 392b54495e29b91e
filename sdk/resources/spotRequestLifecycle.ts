import { setTimeout as sleep } from "node:timers/promises";

import { cancelSpotRequest, describeSpotRequest, type SpotTarget } from "../builders/ec2/spotRequests";
import { MultiArchError } from "../errors";
import { findSpotRequestProblems } from "../validation/spotRequest";
import { findInputChanges } from "./differences";
import type { ResourceLifecycle } from "./lifecycle";
import type { Properties } from "./values";

const inputNames = ["requestId", "region"];

/** How EC2 is asked for a request that is new: it may not be known everywhere at once. */
export interface SpotPatience {
    readonly tries: number;
    readonly pauseMs: number;
}

/**
 * The request behind a spot instance. It was made with the instance; here it is only watched and cancelled.
 *
 * That EC2 does not know a request is no proof that it has ended: it says the same to credentials of another account, and
 * then the request goes on asking for instances. So that is an error, from the beginning on.
 */
export function createSpotRequestLifecycle(patience: SpotPatience = { tries: 10, pauseMs: 2_000 }): ResourceLifecycle {
    return {
        secretInputs: [],

        check: (inputs) => Promise.resolve({ problems: findSpotRequestProblems(inputs), added: {} }),

        diff(old, inputs) {
            const changes = findInputChanges(old.inputs, inputs, inputNames);
            const replaces = Object.keys(changes);
            return { changed: replaces.length > 0, changes, replaces };
        },

        previewCreate: (inputs) => inputs,
        previewUpdate: (_old, inputs) => inputs,

        async create(inputs) {
            for (let tries = 1; (await describeSpotRequest(targetOf(inputs))) === "unknown"; tries += 1) {
                if (tries >= patience.tries) {
                    throw unknownRequest(targetOf(inputs));
                }
                await sleep(patience.pauseMs);
            }
            return { id: idOf(inputs), outputs: inputs };
        },

        async read(id, { outputs }) {
            const [region = "", requestId = ""] = id.split("/");
            const target = { region, requestId };
            const state = await describeSpotRequest(target);
            const isImport = Object.keys(outputs).length === 0;
            if (state === "ended" || (state === "unknown" && isImport)) {
                return undefined;
            }
            return { id, inputs: target, outputs: target };
        },

        // Every change is another request.
        update: (old) => Promise.resolve(old.outputs),

        async delete({ outputs }) {
            if ((await cancelSpotRequest(targetOf(outputs))) === "unknown") {
                throw unknownRequest(targetOf(outputs));
            }
        },
    };
}

function unknownRequest({ requestId, region }: SpotTarget): MultiArchError {
    const what = `EC2 does not know the spot request ${requestId} in ${region} with the AWS credentials of this process`;
    const next =
        "Use credentials of the account that its instance is in. Where the request has ended long ago, take this resource out of the state: pulumi state delete.";
    return new MultiArchError("builder-ec2-unknown", { what, next });
}

function targetOf({ requestId, region }: Properties): SpotTarget {
    return { requestId: String(requestId), region: String(region) };
}

/** What `pulumi import` takes: both are needed to find it. */
function idOf(inputs: Properties): string {
    const { region, requestId } = targetOf(inputs);
    return `${region}/${requestId}`;
}
