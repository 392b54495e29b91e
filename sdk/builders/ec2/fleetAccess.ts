import * as pulumi from "@pulumi/pulumi";

import type { Ec2BuilderFleetArgs } from "../../ec2FleetArgs";
import { BuilderCertificates, type TlsMaterial } from "../../resources/builderCertificates";
import { loadAwsPackage } from "./awsPackage";
import type { FleetContext } from "./fleetNetwork";
import { fleetServerName } from "./fleetSettings";

/** What proves builders and clients to each other, and how builders get at it. */
export interface FleetAccess {
    /** What clients show. */
    readonly client: pulumi.Output<TlsMaterial>;
    /** The name of the parameter with the key and the certificates of the builders. */
    readonly parameterName: pulumi.Output<string>;
    /** The profile that lets an instance read that parameter, and nothing else. */
    readonly profileName: pulumi.Output<string>;
}

/**
 * Certificates, the encrypted parameter that builders fetch theirs from, and the role by which only they can. The role
 * has this one right, and what sessions need where they are used: what is built there must not find another one.
 */
export function createAccess(
    { name, parent, tags }: FleetContext,
    { kmsKeyArn, addressKind }: Pick<Ec2BuilderFleetArgs, "kmsKeyArn" | "addressKind">,
): FleetAccess {
    const aws = loadAwsPackage();
    const certificates = new BuilderCertificates(
        `${name}-certificates`,
        { serverNames: [fleetServerName] },
        { parent },
    );
    const parameter = new aws.ssm.Parameter(
        `${name}-tls`,
        {
            type: "SecureString",
            description: `Key and certificates of the builders ${name}`,
            value: pulumi.secret(certificates.server.apply(({ ca, cert, key }) => JSON.stringify({ ca, cert, key }))),
            ...(kmsKeyArn === undefined ? {} : { keyId: kmsKeyArn }),
            tags,
        },
        { parent, additionalSecretOutputs: ["value"] },
    );
    const role = new aws.iam.Role(
        `${name}-role`,
        { assumeRolePolicy: trustEc2(), description: `BuildKit builders ${name} of pulumi-multiarch`, tags },
        { parent },
    );
    const policy = pulumi.all([parameter.arn, kmsKeyArn, addressKind]).apply(([arn, key, kind]) => {
        return writePolicy([...allowReading(arn, key), ...(kind === "ssm" ? allowSessions() : [])]);
    });
    const attached = new aws.iam.RolePolicy(`${name}-read-tls`, { role: role.name, policy }, { parent });
    // Behind the policy: an instance that boots reads the parameter at once.
    const profile = new aws.iam.InstanceProfile(
        `${name}-profile`,
        { role: role.name, tags },
        { parent, dependsOn: attached },
    );
    return { client: certificates.client, parameterName: parameter.name, profileName: profile.name };
}

function trustEc2(): string {
    const statement = { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" };
    return writePolicy([statement]);
}

/** The keys that AWS keeps for the account need no right of their own. */
function allowReading(parameterArn: string, kmsKeyArn: string | undefined): object[] {
    const read = { Effect: "Allow", Action: "ssm:GetParameter", Resource: parameterArn };
    const decrypt = { Effect: "Allow", Action: "kms:Decrypt", Resource: kmsKeyArn };
    return kmsKeyArn === undefined ? [read] : [read, decrypt];
}

/**
 * What the SSM agent of a builder needs for sessions, and no more of what `AmazonSSMManagedInstanceCore` has. None of
 * these can be narrowed down: https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html
 */
function allowSessions(): object[] {
    const control = ["ssmmessages:CreateControlChannel", "ssmmessages:OpenControlChannel"];
    const data = ["ssmmessages:CreateDataChannel", "ssmmessages:OpenDataChannel"];
    return [...control, ...data, "ssm:UpdateInstanceInformation"].map((Action) => {
        return { Effect: "Allow", Action, Resource: "*" };
    });
}

function writePolicy(Statement: readonly object[]): string {
    return JSON.stringify({ Version: "2012-10-17", Statement });
}
