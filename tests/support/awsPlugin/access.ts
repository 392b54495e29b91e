import * as iam from "@aws-sdk/client-iam";
import * as ssm from "@aws-sdk/client-ssm";

import { must, orGone, toTags, type AwsType, type Properties } from "./resource";

const gone = ["NoSuchEntity", "NoSuchEntityException"];

/** aws:iam/role:Role */
export const role: AwsType = {
    inputs: { assumeRolePolicy: "update", description: "update", name: "replace", tags: "update" },
    async create(inputs, { iam: client }) {
        const RoleName = inputs["name"] as string;
        const answer = await client.send(
            new iam.CreateRoleCommand({
                RoleName,
                AssumeRolePolicyDocument: inputs["assumeRolePolicy"] as string,
                Description: inputs["description"] as string | undefined,
                Tags: toTags(inputs["tags"]),
            }),
        );
        return { id: RoleName, outputs: { ...inputs, arn: answer.Role?.Arn, uniqueId: answer.Role?.RoleId } };
    },
    async read(id, outputs, { iam: client }) {
        const answer = await orGone(client.send(new iam.GetRoleCommand({ RoleName: id })), ...gone);
        const document = answer?.Role?.AssumeRolePolicyDocument;
        return document === undefined ? undefined : { ...outputs, assumeRolePolicy: decodeURIComponent(document) };
    },
    async delete(id, _, { iam: client }) {
        await client.send(new iam.DeleteRoleCommand({ RoleName: id }));
    },
};

/** aws:iam/rolePolicy:RolePolicy */
export const rolePolicy: AwsType = {
    inputs: { name: "replace", policy: "update", role: "replace" },
    async create(inputs, { iam: client }) {
        await client.send(new iam.PutRolePolicyCommand(toPolicy(inputs)));
        return { id: `${inputs["role"] as string}:${inputs["name"] as string}`, outputs: inputs };
    },
    async read(_, outputs, { iam: client }) {
        const { RoleName, PolicyName } = toPolicy(outputs);
        const answer = await orGone(client.send(new iam.GetRolePolicyCommand({ RoleName, PolicyName })), ...gone);
        return answer === undefined
            ? undefined
            : { ...outputs, policy: decodeURIComponent(answer.PolicyDocument ?? "") };
    },
    async update(_id, inputs, _olds, { iam: client }) {
        await client.send(new iam.PutRolePolicyCommand(toPolicy(inputs)));
    },
    async delete(_, outputs, { iam: client }) {
        const { RoleName, PolicyName } = toPolicy(outputs);
        await client.send(new iam.DeleteRolePolicyCommand({ RoleName, PolicyName }));
    },
};

function toPolicy({ role: RoleName, name: PolicyName, policy: PolicyDocument }: Properties) {
    return { RoleName, PolicyName, PolicyDocument } as { RoleName: string; PolicyName: string; PolicyDocument: string };
}

/** aws:iam/instanceProfile:InstanceProfile */
export const instanceProfile: AwsType = {
    inputs: { name: "replace", role: "update", tags: "update" },
    async create(inputs, { iam: client }) {
        const InstanceProfileName = inputs["name"] as string;
        const answer = await client.send(
            new iam.CreateInstanceProfileCommand({ InstanceProfileName, Tags: toTags(inputs["tags"]) }),
        );
        const RoleName = inputs["role"] as string;
        await client.send(new iam.AddRoleToInstanceProfileCommand({ InstanceProfileName, RoleName }));
        return { id: InstanceProfileName, outputs: { ...inputs, arn: answer.InstanceProfile?.Arn } };
    },
    async read(id, outputs, { iam: client }) {
        const request = new iam.GetInstanceProfileCommand({ InstanceProfileName: id });
        const answer = await orGone(client.send(request), ...gone);
        const found = answer?.InstanceProfile;
        return found === undefined ? undefined : { ...outputs, role: found.Roles?.[0]?.RoleName };
    },
    async delete(id, outputs, { iam: client }) {
        const RoleName = outputs["role"] as string;
        await client.send(new iam.RemoveRoleFromInstanceProfileCommand({ InstanceProfileName: id, RoleName }));
        await client.send(new iam.DeleteInstanceProfileCommand({ InstanceProfileName: id }));
    },
};

/** aws:ssm/parameter:Parameter */
export const parameter: AwsType = {
    inputs: {
        description: "update",
        keyId: "update",
        name: "replace",
        tags: "replace",
        tier: "update",
        type: "update",
        value: "update",
    },
    secrets: ["value"],
    async create(inputs, { ssm: client }) {
        const request = { ...toParameter(inputs), Tags: toTags(inputs["tags"]) };
        const { Version } = await client.send(new ssm.PutParameterCommand(request));
        return { id: request.Name, outputs: { ...inputs, version: Version } };
    },
    async read(id, outputs, { ssm: client }) {
        const request = new ssm.GetParameterCommand({ Name: id, WithDecryption: true });
        const found = (await orGone(client.send(request), "ParameterNotFound"))?.Parameter;
        return found && { ...outputs, value: found.Value, type: found.Type, version: found.Version };
    },
    async update(_id, inputs, _olds, { ssm: client }) {
        await client.send(new ssm.PutParameterCommand({ ...toParameter(inputs), Overwrite: true }));
    },
    async delete(id, _, { ssm: client }) {
        await client.send(new ssm.DeleteParameterCommand({ Name: id }));
    },
};

function toParameter(inputs: Properties) {
    return {
        Name: must(inputs["name"] as string | undefined, "name"),
        Value: inputs["value"] as string,
        Type: inputs["type"] as ssm.ParameterType,
        Description: inputs["description"] as string | undefined,
        KeyId: inputs["keyId"] as string | undefined,
        Tier: inputs["tier"] as ssm.ParameterTier | undefined,
    };
}
