import { EC2Client } from "@aws-sdk/client-ec2";
import { IAMClient } from "@aws-sdk/client-iam";
import { SSMClient } from "@aws-sdk/client-ssm";
import * as grpc from "@grpc/grpc-js";
import * as plugin from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";

import { fromStruct, toStruct } from "../../../sdk/plugin/answers";
import { reveal, withoutNulls, wrapSecret } from "../../../sdk/resources/values";
import * as access from "./access";
import * as compute from "./compute";
import * as disks from "./disks";
import * as network from "./network";
import { compare, findUnknownInputs, withName, type AwsType, type Clients, type Properties } from "./resource";

/** The types of the real provider that are known here. */
const types: Readonly<Record<string, AwsType>> = {
    "aws:ebs/volume:Volume": disks.volume,
    "aws:ec2/instance:Instance": compute.instance,
    "aws:ec2/securityGroup:SecurityGroup": network.securityGroup,
    "aws:ec2/volumeAttachment:VolumeAttachment": disks.volumeAttachment,
    "aws:iam/instanceProfile:InstanceProfile": access.instanceProfile,
    "aws:iam/role:Role": access.role,
    "aws:iam/rolePolicy:RolePolicy": access.rolePolicy,
    "aws:ssm/parameter:Parameter": access.parameter,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": network.egressRule,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": network.ingressRule,
};

/** Its functions, with the arguments that are known here. */
const functions: Readonly<Record<string, AwsFunction>> = {
    "aws:ec2/getSubnet:getSubnet": { args: ["id"], call: network.getSubnet },
    "aws:index/getRegion:getRegion": {
        args: [],
        call: async (_, { ec2 }) => ({ region: await ec2.config.region() }),
    },
    "aws:ssm/getParameter:getParameter": { args: ["name"], call: access.getParameter },
};

interface AwsFunction {
    readonly args: readonly string[];
    readonly call: (args: Properties, clients: Clients) => Promise<Properties>;
}

/**
 * Starts a provider `aws` that has a few types of the real one, and asks whatever AWS the environment names by the real
 * SDK. It knows no more of a type than what is written down here, and refuses the rest. Gives its port.
 */
export function startAwsPlugin(version: string): Promise<number> {
    const clients: Clients = { ec2: new EC2Client(), iam: new IAMClient(), ssm: new SSMClient() };
    const server = new grpc.Server();
    server.addService(ResourceProviderService, {
        ...unsupported("parameterize", "call", "construct", "list", "getMapping", "getMappings", "getSchema"),
        handshake: answer(() => new proto.ProviderHandshakeResponse().setAcceptSecrets(true).setAcceptOutputs(true)),
        attach: answer(() => new Empty()),
        cancel: answer(() => new Empty()),
        getPluginInfo: answer(() => new plugin.PluginInfo().setVersion(version)),
        checkConfig: answer((request: proto.CheckRequest) => new proto.CheckResponse().setInputs(request.getNews())),
        diffConfig: answer(() => new proto.DiffResponse()),
        configure: answer(() => new proto.ConfigureResponse().setAcceptsecrets(true).setAcceptoutputs(true)),
        check: answer((request: proto.CheckRequest) => {
            const type = typeOf(request);
            const unknown = findUnknownInputs(type, clear(request.getNews()));
            const failures = unknown.map((name) =>
                new proto.CheckFailure().setProperty(name).setReason(`the double does not know ${name}`),
            );
            // As it came: what is secret, or not known yet, has to stay so.
            const news = fromStruct(request.getNews());
            const named = withName(type, request.getUrn(), clear(request.getOlds()), news);
            return new proto.CheckResponse().setInputs(toStruct(named)).setFailuresList(failures);
        }),
        diff: answer((request: proto.DiffRequest) => {
            const { changed, replaces } = compare(
                typeOf(request),
                clear(request.getOldInputs()),
                clear(request.getNews()),
            );
            const { DIFF_NONE, DIFF_SOME } = proto.DiffResponse.DiffChanges;
            return new proto.DiffResponse()
                .setChanges(changed.length > 0 ? DIFF_SOME : DIFF_NONE)
                .setDiffsList(changed)
                .setReplacesList(replaces);
        }),
        create: answer(async (request: proto.CreateRequest) => {
            const type = typeOf(request);
            const inputs = clear(request.getProperties());
            const { id, outputs } = await type.create(inputs, clients);
            return new proto.CreateResponse().setId(id).setProperties(hide(type, { ...inputs, ...outputs }));
        }),
        read: answer(async (request: proto.ReadRequest) => {
            const type = typeOf(request);
            const [inputs, outputs] = [clear(request.getInputs()), clear(request.getProperties())];
            const found = await type.read(request.getId(), outputs, clients);
            if (found === undefined) {
                return new proto.ReadResponse();
            }
            // What was asked for, as it is now.
            const current = Object.keys(inputs).map((name) => [name, name in found ? found[name] : inputs[name]]);
            return new proto.ReadResponse()
                .setId(request.getId())
                .setInputs(hide(type, Object.fromEntries(current) as Properties))
                .setProperties(hide(type, { ...outputs, ...found }));
        }),
        update: answer(async (request: proto.UpdateRequest) => {
            const type = typeOf(request);
            const inputs = clear(request.getNews());
            if (type.update === undefined) {
                throw new Error(`the double cannot update ${request.getUrn()}`);
            }
            await type.update(request.getId(), inputs, clear(request.getOldInputs()), clients);
            const before = { ...clear(request.getOlds()), ...inputs };
            const found = await type.read(request.getId(), before, clients);
            return new proto.UpdateResponse().setProperties(hide(type, { ...before, ...found }));
        }),
        delete: answer(async (request: proto.DeleteRequest) => {
            await typeOf(request).delete(request.getId(), clear(request.getProperties()), clients);
            return new Empty();
        }),
        invoke: answer(async (request: proto.InvokeRequest) => {
            const args = clear(request.getArgs());
            const known = functions[request.getTok()];
            const unknown = Object.keys(args).filter((name) => known?.args.includes(name) !== true);
            if (known === undefined || unknown.length > 0) {
                throw new Error(`the double has no ${request.getTok()} with ${unknown.join(", ") || "anything"}`);
            }
            return new proto.InvokeResponse().setReturn(toStruct(await known.call(args, clients)));
        }),
    });
    return new Promise((resolve, reject) => {
        server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
            error === null ? resolve(port) : reject(error),
        );
    });
}

function typeOf(request: { getUrn(): string }): AwsType {
    const name = request.getUrn().split("::")[2]?.split("$").pop() ?? "";
    const type = types[name];
    if (type === undefined) {
        throw new Error(`the double has no ${name}`);
    }
    return type;
}

function clear(properties: Parameters<typeof fromStruct>[0]): Properties {
    return withoutNulls(reveal(fromStruct(properties))) as Properties;
}

function hide(type: AwsType, properties: Properties) {
    const hidden = (type.secrets ?? []).map((name) => [name, wrapSecret(properties[name])]);
    return toStruct({ ...properties, ...(Object.fromEntries(hidden) as Properties) });
}

/** A handler from a function: what it throws becomes the answer. */
function answer<Request, Response>(handle: (request: Request) => Response | Promise<Response>) {
    return (call: grpc.ServerUnaryCall<Request, Response>, callback: grpc.sendUnaryData<Response>): void => {
        void Promise.resolve()
            .then(() => handle(call.request))
            .then(
                (response) => callback(null, response),
                (error: unknown) => callback({ code: grpc.status.UNKNOWN, details: String(error) }),
            );
    };
}

function unsupported(...names: string[]): grpc.UntypedServiceImplementation {
    const handler = (_call: unknown, callback?: grpc.sendUnaryData<never>): void =>
        callback?.({ code: grpc.status.UNIMPLEMENTED, details: "the double has nothing of this kind" });
    return Object.fromEntries(names.map((name) => [name, handler]));
}
