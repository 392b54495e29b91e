import assert from "node:assert/strict";
import { createHash } from "node:crypto";

import * as pulumi from "@pulumi/pulumi";

import { Ec2BuilderFleet, type Ec2BuilderFleetArgs } from "../../../../sdk";

/** A resource that a fleet has asked for. Secrets in its inputs are in clear, and their places are in `secrets`. */
export interface Asked {
    readonly type: string;
    readonly name: string;
    readonly inputs: Readonly<Record<string, unknown>>;
    readonly secrets: readonly string[];
    readonly opts: pulumi.CustomResourceOptions;
}

/** What a fleet is made of, by name. */
export interface Described {
    readonly resources: ReadonlyMap<string, Asked>;
    /** What it has asked AWS for, beside resources. */
    readonly calls: readonly { readonly token: string; readonly inputs: unknown }[];
    /** Inputs of the one with this name. */
    readonly inputs: (name: string) => Readonly<Record<string, unknown>>;
    readonly opts: (name: string) => pulumi.CustomResourceOptions;
}

export const pem = (text: string): string => `-----BEGIN ${text}-----\n`;

/** What each type has when it is there, beside its inputs. */
const states: Readonly<Record<string, object>> = {
    "multiarch:index:BuilderCertificates": {
        server: { ca: pem("CA"), cert: pem("SERVER"), key: pem("SERVER KEY") },
        client: { ca: pem("CA"), cert: pem("CLIENT"), key: pem("CLIENT KEY") },
    },
    "aws:ssm/parameter:Parameter": { name: "fleet-tls", arn: "arn:aws:ssm:eu-central-1:1:parameter/fleet-tls" },
    "aws:iam/role:Role": { name: "fleet-role", arn: "arn:aws:iam::1:role/fleet-role" },
    "aws:iam/instanceProfile:InstanceProfile": { name: "fleet-profile" },
    "aws:eks/cluster:Cluster": {
        name: "cluster-1",
        endpoint: "https://1.eks.amazonaws.com",
        certificateAuthority: { data: "Q0E=" },
    },
    "multiarch:index:ImageIndex": { ref: "1.dkr.ecr.eu-central-1.amazonaws.com/app@sha256:0a" },
    "aws:ecr/repository:Repository": { repositoryUrl: "1.dkr.ecr.eu-central-1.amazonaws.com/app", registryId: "1" },
};

const answers: Readonly<Record<string, (inputs: Record<string, string>) => object>> = {
    "aws:ec2/getVpc:getVpc": () => ({ id: "vpc-1", cidrBlock: "10.0.0.0/16" }),
    "aws:ec2/getSubnets:getSubnets": () => ({ ids: ["subnet-0a", "subnet-0b"] }),
    "aws:ecr/getAuthorizationToken:getAuthorizationToken": () => ({ userName: "AWS", password: "hunter2" }),
    "aws:ec2/getSubnet:getSubnet": ({ id }) => ({ vpcId: "vpc-1", availabilityZone: `zone of ${id ?? ""}` }),
    "aws:index/getRegion:getRegion": () => ({ region: "eu-central-1" }),
    "aws:ssm/getParameter:getParameter": ({ name }) => ({ value: `newest ${name ?? ""}` }),
};

/** Declares a fleet without an engine, and waits until all of it is known. */
export async function describeFleet(args: Ec2BuilderFleetArgs): Promise<Described & { fleet: Ec2BuilderFleet }> {
    const made: Ec2BuilderFleet[] = [];
    const described = await describeProgram((opts) => {
        const fleet = new Ec2BuilderFleet("fleet", args, opts);
        made.push(fleet);
        return pulumi.all([fleet.urn, fleet.nodes, fleet.machines, fleet.keptOnDestroy]);
    });
    const [fleet] = made;
    assert.ok(fleet);
    return { ...described, fleet };
}

/** Runs a program without an engine, and waits for what it gives. Its resources take the options. */
export async function describeProgram(
    program: (opts: pulumi.ComponentResourceOptions) => pulumi.Output<unknown>,
): Promise<Described> {
    const resources = new Map<string, Asked>();
    const calls: { token: string; inputs: unknown }[] = [];
    const options = new Map<string, pulumi.CustomResourceOptions>();
    const mocks: pulumi.runtime.Mocks = {
        newResource({ type, name, inputs }) {
            const given = inputs as Record<string, unknown>;
            const secrets = Object.keys(given).filter((key) => pulumi.runtime.isRpcSecret(given[key]));
            resources.set(name, {
                ...{ type, name, secrets, opts: {} },
                inputs: Object.fromEntries(Object.entries(given).map(([key, value]) => [key, unwrap(value)])),
            });
            // Ids as AWS has them: user data takes no others.
            const ids: Readonly<Record<string, string>> = {
                "aws:ebs/volume:Volume": `vol-${hex(name)}`,
                "aws:ec2/instance:Instance": instanceIdOf(name),
            };
            const id = ids[type] ?? `id of ${name}`;
            return { id, state: { ...given, ...states[type] } };
        },
        call({ token, inputs }) {
            calls.push({ token, inputs: inputs as unknown });
            return answers[token]?.(inputs as Record<string, string>) ?? {};
        },
    };
    await pulumi.runtime.setMocks(mocks, "project", "stack", false, "organization");
    const record = ({ name, opts }: pulumi.ResourceTransformationArgs): undefined => {
        options.set(name, opts);
    };
    await settle(program({ transformations: [record] }));
    // Rules and policies are behind nothing that is waited for.
    await (pulumi.runtime as unknown as { waitForRPCs(): Promise<void> }).waitForRPCs();
    const find = (name: string): Asked => {
        const found = resources.get(name);
        if (found === undefined) {
            throw new Error(`there is no ${name}, only ${[...resources.keys()].join(", ")}`);
        }
        return found;
    };
    return {
        ...{ resources, calls },
        inputs: (name) => find(name).inputs,
        opts: (name) => options.get(find(name).name) ?? {},
    };
}

/** The id of the instance with this name. */
export function instanceIdOf(name: string): string {
    return `i-${createHash("sha256").update(name).digest("hex").slice(0, 17)}`;
}

/** The value of an output, or what has kept it from having one. */
export function settle<T>(output: pulumi.Output<T>): Promise<T> {
    return (output as unknown as { promise(): Promise<T> }).promise();
}

function unwrap(value: unknown): unknown {
    return pulumi.runtime.isRpcSecret(value) ? (pulumi.runtime.unwrapRpcSecret(value) as unknown) : value;
}

function hex(text: string): string {
    return Buffer.from(text).toString("hex");
}
