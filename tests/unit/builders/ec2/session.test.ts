import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import * as net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { checkNodes, type CheckOptions } from "../../../../sdk/build/lease";
import { acknowledge, decodeFrame, encodeFrame, newFrame } from "../../../../sdk/builders/ec2/session/frame";
import { throughSession } from "../../../../sdk/builders/ec2/session/tunnel";
import { describeNode, type BuilderNode, type BuilderTls } from "../../../../sdk/builders/node";
import { MultiArchError, type ErrorCode } from "../../../../sdk/errors";
import { startEc2Double, type Ec2Double } from "../../../support/ec2Double";
import { startSsmDouble, type SsmDouble } from "../../../support/ssmDouble";
import { createAuthority } from "../testCertificates";
import { failedCheck, findClosedPort, nodeOn, startBuilder, type TestServer } from "../testBuilders";

const instanceId = "i-0000000000000000c";
const region = "eu-central-1";
const image = { platform: "linux/amd64", repository: "registry.example.com/team/hello", isPushed: true };

/**
 * The real AWS SDK asks a double of Session Manager, behind which is a double of the SSM agent. Both speak as the agent's
 * and the client's sources do: the client of AWS, session-manager-plugin, takes this double for real.
 */
describe("builders behind Session Manager", () => {
    let builder: TestServer;
    let material: BuilderTls;
    let foreign: BuilderTls;
    let echo: net.Server;
    let ec2: Ec2Double;
    let ssm: SsmDouble;
    const environment = { ...process.env };

    before(async () => {
        echo = net.createServer((socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
        const [authority, stranger] = await Promise.all([createAuthority(), createAuthority("another CA")]);
        material = { ca: authority.ca, ...(await authority.issue({ commonName: "client" })) };
        foreign = { ca: authority.ca, ...(await stranger.issue({ commonName: "client" })) };
        [builder, ec2, ssm] = await Promise.all([startBuilder({}, authority), startEc2Double(), startSsmDouble()]);
        Object.assign(process.env, ec2.env, ssm.env);
    });
    after(async () => {
        process.env = environment;
        echo.close();
        await Promise.all([builder.close(), ec2.close(), ssm.close()]);
    });
    beforeEach(() => {
        // Nothing but the agent reaches it: it has no address.
        ec2.instances.clear();
        ec2.instances.set(instanceId, { state: "running" });
        ssm.agents.clear();
        Object.assign(ssm, { refuses: undefined, isFaulty: false, isMute: false, refusesChannels: false });
        ssm.asked.length = 0;
    });

    const node = (more: Partial<BuilderNode> = {}): BuilderNode => {
        const place = `EC2 instance ${instanceId} in ${region}`;
        return nodeOn(0, {
            ...{ name: place, address: place, tls: material, serverName: "127.0.0.1" },
            ec2: { instanceId, region, port: builder.port, addressKind: "ssm" },
            ...more,
        });
    };
    const options: CheckOptions = { lookMs: 20, bootMs: 3_000, patienceMs: 0 };
    const failure = (code: ErrorCode, one = node()): Promise<MultiArchError> => {
        return failedCheck(image, [one], code, options);
    };
    const connect = async (port: number): Promise<net.Socket> => {
        ssm.agents.set(instanceId, { host: "127.0.0.1", port });
        // Each test has a tunnel of its own, by the port.
        const { address } = await throughSession(node(), { instanceId, region, port });
        return net.connect(Number(address.split(":").pop()), "127.0.0.1");
    };
    const untilClosed = async (): Promise<void> => {
        for (let tries = 0; ssm.countOpen() > 0; tries += 1) {
            assert.ok(tries < 200, `${ssm.countOpen()} sessions are open`);
            await sleep(20);
        }
    };

    it("are checked through a session for each connection, which ends with it", async () => {
        ssm.agents.set(instanceId, { host: "127.0.0.1" });
        const {
            choices: [{ node: found, facts }],
        } = await checkNodes(image, [node()], options);
        assert.equal(facts.native, true);
        assert.match(found.address, /^tcp:\/\/127\.0\.0\.1:\d+$/);
        assert.equal(describeNode(found), `EC2 instance ${instanceId} in ${region} (through Session Manager)`);
        assert.ok(ssm.asked.length > 0);
        for (const asked of ssm.asked) {
            assert.deepEqual(asked, { target: instanceId, document: "AWS-StartSSHSession", port: builder.port });
        }
        await untilClosed();
    });

    it("are started, and waited for until their agent has reported", async () => {
        ec2.instances.set(instanceId, {
            state: "stopped",
            boot: async () => {
                await sleep(200);
                ssm.agents.set(instanceId, { host: "127.0.0.1" });
            },
        });
        const told: string[] = [];
        await checkNodes(image, [node()], { ...options, onStatus: (text) => told.push(text) });
        assert.ok(told.some((text) => text.startsWith("waiting for BuildKit of EC2 instance")));
        await untilClosed();
    });

    it("say what is missing where there is no agent, no right or no BuildKit", async function () {
        // Only by their silence it shows that nobody listens.
        this.timeout(20_000);
        const silent = await failure("builder-unreachable");
        assert.equal(silent.transient, true);
        assert.match(silent.message, /SSM agent has not reported yet[^]*docs\/ec2\.md/);
        assert.equal(silent.fields.property, "builders.endpoints[1].ec2");

        ssm.refuses = "AccessDeniedException";
        const denied = await failure("builder-ec2-denied");
        assert.equal(denied.transient, false);
        assert.match(denied.message, /ssm:StartSession/);

        ssm.refuses = undefined;
        ssm.agents.set(instanceId, { host: "127.0.0.1", port: await findClosedPort() });
        assert.match((await failure("builder-unreachable")).message, /nothing takes data on the port/);
        ssm.refusesChannels = true;
        assert.match((await failure("builder-ec2-denied")).message, /ssmmessages:OpenDataChannel is not allowed/);
        await untilClosed();
    });

    it("are refused for what is wrong with them, as everywhere, and for what is open to others here", async () => {
        ssm.agents.set(instanceId, { host: "127.0.0.1" });
        const refused = await failure("builder-tls-client-refused", node({ tls: foreign }));
        assert.equal(refused.transient, false);
        const open = await failure("builder-insecure", node({ tls: undefined, insecure: true }));
        assert.match(open.message, /a port of this machine/);
        await untilClosed();
    });

    it("get every byte once and in order, however frames travel", async () => {
        ssm.isFaulty = true;
        const { port } = echo.address() as net.AddressInfo;
        const socket = await connect(port);
        const sent = randomBytes(100_000);
        const chunks: Buffer[] = [];
        const isWhole = new Promise<void>((resolve) => {
            socket.on("data", (chunk: Buffer) => {
                chunks.push(chunk);
                if (Buffer.concat(chunks).length >= sent.length) {
                    resolve();
                }
            });
        });
        socket.write(sent.subarray(0, 1));
        // A line feed alone, which the client of AWS turns into something else.
        socket.write("\n");
        socket.write(sent.subarray(2));
        await isWhole;
        const expected = Buffer.concat([sent.subarray(0, 1), Buffer.from("\n"), sent.subarray(2)]);
        assert.ok(Buffer.concat(chunks).equals(expected));
        socket.destroy();
        await untilClosed();
    });

    it("get all that was said before the end, however slowly they read", async () => {
        const said = randomBytes(16_000_000);
        const server = net.createServer((socket) => socket.once("data", () => socket.end(said))).listen(0, "127.0.0.1");
        await once(server, "listening");
        const socket = await connect((server.address() as net.AddressInfo).port);
        socket.write("now");
        await sleep(1_000);
        const chunks: Buffer[] = [];
        for await (const chunk of socket) {
            chunks.push(chunk as Buffer);
        }
        assert.ok(Buffer.concat(chunks).equals(said));
        await untilClosed();
        server.close();
    });

    it("leave no session open that nobody waits for any more", async () => {
        ssm.isMute = true;
        const { port } = echo.address() as net.AddressInfo;
        const socket = await connect(port);
        socket.write("hello");
        for (let tries = 0; ssm.countOpen() === 0; tries += 1) {
            assert.ok(tries < 100);
            await sleep(20);
        }
        socket.destroy();
        await untilClosed();
    });

    it("end a connection with its session, and a session with its connection", async () => {
        const accepted = Promise.withResolvers<net.Socket>();
        const server = net.createServer((socket) => accepted.resolve(socket)).listen(0, "127.0.0.1");
        await once(server, "listening");
        const socket = await connect((server.address() as net.AddressInfo).port);
        socket.on("error", () => undefined).resume();
        const other = await accepted.promise;
        assert.equal(ssm.countOpen(), 1);
        other.end();
        await once(socket, "close");
        await untilClosed();
        server.close();
    });

    it("never tell the token of a session", async () => {
        ssm.agents.set(instanceId, { host: "127.0.0.1" });
        ssm.refusesChannels = true;
        const error = await failure("builder-ec2-denied");
        assert.ok(ssm.tokens.length > 0);
        const shown = JSON.stringify([error.message, error.fields, String(error.cause)]);
        assert.ok(ssm.tokens.every((token) => !shown.includes(token)));
    });
});

describe("a frame of a data channel", () => {
    // As the agent lays it out, by its source: a number or text, and where it is.
    it("is laid out as the agent's", () => {
        const frame = { ...newFrame("input_stream_data", 258, 1, "data"), id: "00112233-4455-6677-8899-aabbccddeeff" };
        const bytes = encodeFrame(frame);
        assert.equal(bytes.length, 124);
        assert.equal(bytes.readUInt32BE(0), 116);
        assert.equal(bytes.toString("utf8", 4, 36), "input_stream_data".padEnd(32));
        assert.equal(bytes.readUInt32BE(36), 1);
        assert.equal(bytes.readBigInt64BE(48), 258n);
        assert.equal(bytes.toString("hex", 64, 80), "8899aabbccddeeff0011223344556677");
        const sha256 = "3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7";
        assert.equal(bytes.toString("hex", 80, 112), sha256);
        assert.deepEqual([bytes.readUInt32BE(112), bytes.readUInt32BE(116)], [1, 4]);
        assert.deepEqual(decodeFrame(bytes), frame);
    });

    it("is acknowledged by its number and its id", () => {
        const frame = newFrame("output_stream_data", 7, 1, "data");
        const { type, payload } = decodeFrame(encodeFrame(acknowledge(frame)));
        assert.equal(type, "acknowledge");
        assert.deepEqual(JSON.parse(payload.toString()), {
            AcknowledgedMessageType: "output_stream_data",
            AcknowledgedMessageId: frame.id,
            AcknowledgedMessageSequenceNumber: 7,
            IsSequentialMessage: true,
        });
    });

    it("is refused when it is none", () => {
        assert.throws(() => decodeFrame(Buffer.from("nothing")), RangeError);
        assert.throws(() => decodeFrame(Buffer.alloc(200, 255)), RangeError);
    });
});
