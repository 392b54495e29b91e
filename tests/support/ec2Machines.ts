import { readFileSync } from "node:fs";
import type * as http from "node:http";

import * as ec2 from "@aws-sdk/client-ec2";

import type { Aws } from "./aws";
import { bootHost, type Ec2Host } from "./ec2Host";
import { createCredentials } from "./ec2Parameters";
import { forward, startAnswering, type Answer } from "./httpAnswers";
import { createVolume, type Ec2Volume } from "./ec2Volume";
import type { World } from "./world";

/**
 * An account whose instances really boot: it stands in front of moto, passes every request on, and does with hosts what
 * moto only writes down. An instance boots when its volume is attached, with the user data it was started with.
 */
export interface Ec2Machines {
    /** The environment in which AWS SDKs ask here. */
    readonly env: Readonly<Record<string, string>>;
    /** Where hosts reach it, as a URL. */
    readonly url: string;
    /** The hosts there are, by the id of their instance. */
    readonly hosts: ReadonlyMap<string, Ec2Host>;
    /** Every action on instances that was asked for, with its instance. */
    readonly asked: string[];
    remove(): Promise<void>;
}

/** Starts it for an account. */
export async function startMachines(world: World, account: Aws): Promise<Ec2Machines> {
    const moto = account.env["AWS_ENDPOINT_URL"] ?? "";
    const client = account.clients.ec2;
    const userData = new Map<string, string>();
    const hosts = new Map<string, Ec2Host>();
    const volumes = new Map<string, Ec2Volume>();
    /** The address of each host, by the one that moto has made up. */
    const addresses = new Map<string, string>();
    const asked: string[] = [];
    // A machine image that knows the registry's authority, as one of a company would.
    const files = {
        "/etc/ssl/certs/tests.pem": readFileSync(world.authorityFile, "utf8"),
        "/etc/systemd/system/multiarch-tick.timer.d/often.conf": "[Timer]\nOnActiveSec=2s\nOnUnitInactiveSec=2s\n",
    };

    const boot = async (instanceId: string, volumeId: string): Promise<void> => {
        const volume = volumes.get(volumeId) ?? (await createVolume(10, volumeId));
        volumes.set(volumeId, volume);
        const name = `m${hosts.size}-${instanceId.slice(-3)}`;
        const options = { name, userData: userData.get(instanceId) ?? "", volume, files };
        const host = await bootHost(world, { ...options, credentials: createCredentials() });
        hosts.set(instanceId, host);
        const { Reservations } = await client.send(new ec2.DescribeInstancesCommand({ InstanceIds: [instanceId] }));
        addresses.set(Reservations?.[0]?.Instances?.[0]?.PrivateIpAddress ?? "", host.address);
    };
    /** What turned itself off is stopped, as EC2 notices by itself. */
    const noticePowerOff = async (): Promise<void> => {
        for (const [id, host] of hosts) {
            if (!host.isRunning()) {
                await client.send(new ec2.StopInstancesCommand({ InstanceIds: [id] }));
            }
        }
    };
    const follow = async (form: URLSearchParams, body: string): Promise<void> => {
        const ids = [...form].filter(([name]) => /^InstanceId(\.\d+)?$/.test(name)).map(([, id]) => id);
        for (const id of ids) {
            const host = hosts.get(id);
            switch (form.get("Action")) {
                case "AttachVolume":
                    await boot(id, form.get("VolumeId") ?? "");
                    break;
                case "StartInstances":
                    await (host?.isRunning() === false ? host.start() : undefined);
                    break;
                case "StopInstances":
                    await (host?.isRunning() === true ? host.stop() : undefined);
                    break;
                case "TerminateInstances":
                    hosts.delete(id);
                    await host?.terminate();
                    break;
            }
        }
        if (form.get("Action") === "RunInstances") {
            const id = /<instanceId>([^<]+)</.exec(body)?.[1] ?? "";
            userData.set(id, Buffer.from(form.get("UserData") ?? "", "base64").toString());
        }
        if (form.get("Action") === "DeleteVolume") {
            const id = form.get("VolumeId") ?? "";
            await volumes.get(id)?.remove();
            volumes.delete(id);
        }
    };
    const answerEc2 = async (request: http.IncomingMessage, form: URLSearchParams, body: string): Promise<Answer> => {
        const action = form.get("Action") ?? "";
        if (action.endsWith("Instances")) {
            asked.push(`${action} ${form.get("InstanceId.1") ?? ""}`);
        }
        if (action === "DescribeInstances" || action === "StartInstances") {
            await noticePowerOff();
        }
        const answer = await forward(moto, request, body);
        if (answer.status === 200) {
            await follow(form, answer.body);
        }
        const shown = [...addresses].reduce(
            (text, [made, real]) => text.replaceAll(`>${made}<`, `>${real}<`),
            answer.body,
        );
        return { ...answer, body: action === "DescribeInstances" ? shown : answer.body };
    };

    // One after the other: a machine that ends must not be stopped by whoever looks at it meanwhile.
    let last: Promise<unknown> = Promise.resolve();
    const handle = async (request: http.IncomingMessage, body: string): Promise<Answer> => {
        const form = new URLSearchParams(body);
        if (!form.has("Action")) {
            return forward(moto, request, body);
        }
        const answer = last.then(() => answerEc2(request, form, body));
        last = answer.catch(() => undefined);
        return answer;
    };

    const { url, stop } = await startAnswering(handle, world.network.gateway);
    return {
        env: { ...account.env, AWS_ENDPOINT_URL: url },
        ...{ url, hosts, asked },
        async remove() {
            await stop();
            for (const host of hosts.values()) {
                await host.terminate();
            }
            for (const volume of volumes.values()) {
                await volume.remove();
            }
        },
    };
}
