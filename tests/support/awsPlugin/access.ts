import * as iam from "@aws-sdk/client-iam";
import * as ssm from "@aws-sdk/client-ssm";

import { wrapSecret } from "../../../sdk/resources/values";
import { must, orGone, toTags, type AwsType, type Clients, type Properties } from "./resource";
import { compareTags } from "./tags";

const gone = ["NoSuchEntity", "NoSuchEntityException"];

/** aws:iam/role:Role */
export const role: AwsType = {
    autoName: true,
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
    async update(RoleName, inputs, olds, { iam: client }) {
        refuseChanges(inputs, olds, "assumeRolePolicy", "description");
        const { gone, now } = compareTags(inputs, olds);
        await client.send(new iam.UntagRoleCommand({ RoleName, TagKeys: gone }));
        await client.send(new iam.TagRoleCommand({ RoleName, Tags: now }));
    },
    async delete(id, _, { iam: client }) {
        await client.send(new iam.DeleteRoleCommand({ RoleName: id }));
    },
};

/** What upstream can change, and this double cannot. */
function refuseChanges(inputs: Properties, olds: Properties, ...names: string[]): void {
    const changed = names.filter((name) => JSON.stringify(inputs[name]) !== JSON.stringify(olds[name]));
    if (changed.length > 0) {
        throw new Error(`the double has no update of ${changed.join(", ")}, which upstream has`);
    }
}

/** aws:iam/rolePolicy:RolePolicy */
export const rolePolicy: AwsType = {
    autoName: true,
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
    autoName: true,
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
    async update(InstanceProfileName, inputs, olds, { iam: client }) {
        refuseChanges(inputs, olds, "role");
        const { gone, now } = compareTags(inputs, olds);
        await client.send(new iam.UntagInstanceProfileCommand({ InstanceProfileName, TagKeys: gone }));
        await client.send(new iam.TagInstanceProfileCommand({ InstanceProfileName, Tags: now }));
    },
    async delete(id, outputs, { iam: client }) {
        const RoleName = outputs["role"] as string;
        await client.send(new iam.RemoveRoleFromInstanceProfileCommand({ InstanceProfileName: id, RoleName }));
        await client.send(new iam.DeleteInstanceProfileCommand({ InstanceProfileName: id }));
    },
};

/** aws:ssm/parameter:Parameter */
export const parameter: AwsType = {
    autoName: true,
    inputs: {
        description: "update",
        keyId: "update",
        name: "replace",
        tags: "update",
        tier: "update",
        type: "update",
        value: "update",
    },
    secrets: ["value"],
    async create(inputs, { ssm: client }) {
        const request = { ...toParameter(inputs), Tags: toTags(inputs["tags"]) };
        const { Version } = await client.send(new ssm.PutParameterCommand(request));
        const found = await client.send(new ssm.GetParameterCommand({ Name: request.Name }));
        return { id: request.Name, outputs: { ...inputs, arn: found.Parameter?.ARN, version: Version } };
    },
    async read(id, outputs, { ssm: client }) {
        const request = new ssm.GetParameterCommand({ Name: id, WithDecryption: true });
        const found = (await orGone(client.send(request), "ParameterNotFound"))?.Parameter;
        return found && { ...outputs, value: found.Value, type: found.Type, version: found.Version };
    },
    async update(ResourceId, inputs, olds, { ssm: client }) {
        await client.send(new ssm.PutParameterCommand({ ...toParameter(inputs), Overwrite: true }));
        const { gone, now } = compareTags(inputs, olds);
        const where = { ResourceType: "Parameter", ResourceId } as const;
        await client.send(new ssm.RemoveTagsFromResourceCommand({ ...where, TagKeys: gone }));
        await client.send(new ssm.AddTagsToResourceCommand({ ...where, Tags: now }));
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

/** aws:ssm/getParameter:getParameter. As upstream, what is in a parameter is a secret. */
export async function getParameter({ name }: Properties, { ssm: client }: Clients): Promise<Properties> {
    const { Parameter } = await client.send(new ssm.GetParameterCommand({ Name: name as string }));
    const { ARN: arn, Type: type, Value, Version: version } = Parameter ?? {};
    return { id: name, name, arn, type, value: wrapSecret(Value), version };
}
