import { cancelSpotRequest, isSpotRequestOpen, type SpotTarget } from "../builders/ec2/spotRequests";
import { findSpotRequestProblems } from "../validation/spotRequest";
import { findInputChanges } from "./differences";
import type { ResourceLifecycle } from "./lifecycle";
import type { Properties } from "./values";

const inputNames = ["requestId", "region"];

/** The request behind a spot instance. It was made with the instance; here it is only watched and cancelled. */
export const spotRequestLifecycle: ResourceLifecycle = {
    secretInputs: [],

    check: (inputs) => Promise.resolve({ problems: findSpotRequestProblems(inputs), added: {} }),

    diff(old, inputs) {
        const changes = findInputChanges(old.inputs, inputs, inputNames);
        const replaces = Object.keys(changes);
        return { changed: replaces.length > 0, changes, replaces };
    },

    previewCreate: (inputs) => inputs,
    previewUpdate: (_old, inputs) => inputs,

    create: (inputs) => Promise.resolve({ id: idOf(inputs), outputs: inputs }),

    async read(id) {
        const [region = "", requestId = ""] = id.split("/");
        const outputs = { region, requestId };
        return (await isSpotRequestOpen(outputs)) ? { id, inputs: outputs, outputs } : undefined;
    },

    // Every change is another request.
    update: (old) => Promise.resolve(old.outputs),

    delete: ({ outputs }) => cancelSpotRequest(targetOf(outputs)),
};

function targetOf({ requestId, region }: Properties): SpotTarget {
    return { requestId: String(requestId), region: String(region) };
}

/** What `pulumi import` takes: both are needed to find it. */
function idOf(inputs: Properties): string {
    const { region, requestId } = targetOf(inputs);
    return `${region}/${requestId}`;
}
