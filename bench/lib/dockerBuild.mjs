import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { credentials } from "@grpc/grpc-js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import provider from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";

const urn = "urn:pulumi:bench::bench::docker-build:index:Image::image";

/**
 * Starts the docker-build provider as the engine does.
 * @param {string} plugin its binary
 * @param {NodeJS.ProcessEnv} env
 */
export async function startDockerBuild(plugin, env) {
    // It tells the engine at this address what it does; nothing is there, and nothing has to be.
    const child = spawn(plugin, ["127.0.0.1:1"], { env, stdio: ["ignore", "pipe", "ignore"] });
    const [port] = await Promise.race([
        once(createInterface(child.stdout), "line"),
        once(child, "exit").then(() => {
            throw new Error(`${plugin} ended before it had said its port`);
        }),
    ]);
    const client = new provider.ResourceProviderClient(`127.0.0.1:${port}`, credentials.createInsecure());
    const call = (/** @type {string} */ method, /** @type {unknown} */ request) =>
        promisify(client[method].bind(client))(request);
    return {
        pid: child.pid ?? 0,
        async configure() {
            const request = new messages.ConfigureRequest();
            request.setArgs(toStruct({}));
            request.setAcceptsecrets(true);
            await call("configure", request);
        },
        /** @param {object} inputs */
        async check(inputs) {
            const request = new messages.CheckRequest();
            request.setUrn(urn);
            request.setNews(toStruct(inputs));
            const answer = await call("check", request);
            const failures = answer.getFailuresList();
            if (failures.length > 0) {
                throw new Error(failures.map((/** @type {any} */ each) => each.getReason()).join("\n"));
            }
            return answer.getInputs().toJavaScript();
        },
        /**
         * Asks what has changed. This is where the provider hashes the context.
         * @param {object} state what the last build left, with its contextHash
         * @param {object} inputs
         * @returns {Promise<string[]>} the properties that differ
         */
        async diff(state, inputs) {
            const request = new messages.DiffRequest();
            request.setId("image");
            request.setUrn(urn);
            request.setOlds(toStruct(state));
            request.setOldInputs(toStruct(inputs));
            request.setNews(toStruct(inputs));
            const answer = await call("diff", request);
            return answer.getDiffsList();
        },
        async stop() {
            client.close();
            const exited = once(child, "exit");
            child.kill();
            await exited;
        },
    };
}

/** @param {object} value */
function toStruct(value) {
    return struct.Struct.fromJavaScript(value);
}
