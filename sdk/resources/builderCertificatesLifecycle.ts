import type * as pulumi from "@pulumi/pulumi";

import {
    createCertificates,
    expiryOf,
    renewCertificates,
    type Authority,
    type CertificateOptions,
    type CertificateSet,
} from "../certificates/certificates";
import { validityOf } from "../certificates/issue";
import { findBuilderCertificatesProblems } from "../validation/builderCertificates";
import type { BuilderCertificatesArgs, TlsMaterial } from "./builderCertificates";
import { findInputChanges } from "./differences";
import type { DiffAnswer, PropertyChange, ResourceLifecycle } from "./lifecycle";
import { unknownValue, wrapSecret, type Properties } from "./values";

type Inputs = pulumi.Unwrap<BuilderCertificatesArgs>;

const inputNames = ["serverNames", "validityDays", "renewBeforeDays", "caValidityDays"];
const outputNames = ["ca", "server", "client", "expiresAt", "caExpiresAt", "authorities"];
const dayMs = 24 * 60 * 60 * 1_000;

/** The certificates of builders. All there is of them is in the state. `clock` says what time it is. */
export function createBuilderCertificatesLifecycle(clock: () => Date = () => new Date()): ResourceLifecycle {
    return {
        secretInputs: [],

        check(inputs) {
            return Promise.resolve({ problems: findBuilderCertificatesProblems(inputs), added: {} });
        },

        diff(old, inputs, { reporter }): DiffAnswer {
            const changes: Record<string, PropertyChange> = findInputChanges(old.inputs, inputs, inputNames);
            const { expiresAt, caExpiresAt } = old.outputs as Record<string, string>;
            const { validityDays, renewBeforeDays } = optionsOf(inputs);
            const daysLeft = daysUntil(expiresAt);
            const caDaysLeft = daysUntil(caExpiresAt);
            if (daysLeft < renewBeforeDays) {
                reporter.warn(
                    `the certificates ${describeEnd(daysLeft)}: this up renews them. Restart the builders with them`,
                );
                changes["expiresAt"] = "update";
            }
            if (caDaysLeft < validityDays + 2 * renewBeforeDays) {
                reporter.warn(
                    `the certificates of the authority ${describeEnd(caDaysLeft)}: this up adds the next one to those that are trusted`,
                );
                changes["caExpiresAt"] = "update";
            }
            return { changed: Object.keys(changes).length > 0, changes, replaces: [] };
        },

        previewCreate: describe,
        previewUpdate: describe,

        async create(inputs) {
            const set = await createCertificates(optionsOf(inputs), clock());
            return { id: "builder-certificates", outputs: outputsOf(set) };
        },

        async update(old, inputs, { reporter }) {
            const anew = Object.keys(findInputChanges(old.inputs, inputs, ["serverNames", "validityDays"])).length > 0;
            const set = await renewCertificates(setOf(old.outputs), optionsOf(inputs), clock(), anew);
            const outputs = outputsOf(set);
            reporter.info(`the certificates last until ${String(outputs["expiresAt"])}`);
            return outputs;
        },

        // There is nothing outside the state to look at, and so nothing to import.
        read: (id, { outputs }) => {
            return Promise.resolve(
                outputs["authorities"] === undefined ? undefined : { id, outputs: protect(outputs) },
            );
        },

        delete() {
            return Promise.resolve();
        },
    };

    function daysUntil(end: string | undefined): number {
        return Math.floor((Date.parse(end ?? "") - clock().getTime()) / dayMs);
    }
}

function describeEnd(days: number): string {
    return days < 0 ? `ended ${-days} days ago` : `end in ${days} days`;
}

function optionsOf(inputs: Properties): CertificateOptions {
    const {
        serverNames,
        validityDays = 90,
        renewBeforeDays = 30,
        caValidityDays = 1_825,
    } = inputs as unknown as Inputs;
    return { serverNames, validityDays, renewBeforeDays, caValidityDays };
}

function describe(): Properties {
    return Object.fromEntries(outputNames.map((name) => [name, unknownValue]));
}

function outputsOf(set: CertificateSet): Properties {
    const ca = set.authorities.map(({ cert }) => cert).join("");
    const ends = set.authorities.map(({ cert }) => validityOf(cert).notAfter);
    return protect({
        ca,
        server: { ca, ...set.server },
        client: { ca, ...set.client },
        expiresAt: expiryOf(set).toISOString(),
        caExpiresAt: ends.at(-1)?.toISOString(),
        authorities: JSON.stringify(set.authorities),
    });
}

function setOf(outputs: Properties): CertificateSet {
    const { server, client, authorities } = outputs as {
        server: TlsMaterial;
        client: TlsMaterial;
        authorities: string;
    };
    const pairOf = ({ cert, key }: TlsMaterial) => ({ cert, key });
    return {
        authorities: JSON.parse(authorities) as Authority[],
        server: pairOf(server),
        client: pairOf(client),
    };
}

/** What holds keys is a secret as a whole, whatever the program says of it. */
function protect(outputs: Properties): Properties {
    const { server, client, authorities } = outputs;
    return {
        ...outputs,
        server: wrapSecret(server),
        client: wrapSecret(client),
        authorities: wrapSecret(authorities),
    };
}
