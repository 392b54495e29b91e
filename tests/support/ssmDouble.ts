import { randomBytes } from "node:crypto";
import { WebSocketServer } from "ws";

import { startAnswering } from "./httpAnswers";
import { serveSession } from "./ssmAgent";

/** Session Manager: the one action that is used, in its own protocol, and the agents of its instances. */
export interface SsmDouble {
    /** The environment in which the AWS SDK asks it. */
    readonly env: Readonly<Record<string, string>>;
    /** Where the port of an instance is in truth, by its id. One that is not here has not reported. */
    readonly agents: Map<string, { readonly host: string; readonly port?: number }>;
    /** What sessions were asked for. */
    readonly asked: { readonly target: string; readonly document: string; readonly port: number }[];
    /** What lets into the sessions there were. */
    readonly tokens: string[];
    /** The error that every request is answered with. */
    refuses: string | undefined;
    /** Frames get lost, come twice and in another order. */
    isFaulty: boolean;
    /** Agents do not take up sessions. */
    isMute: boolean;
    /** Data channels are refused, as without the right to them. */
    refusesChannels: boolean;
    /** The sessions that are open. */
    countOpen(): number;
    close(): Promise<void>;
}

interface StartRequest {
    readonly Target: string;
    readonly DocumentName: string;
    readonly Parameters: { readonly portNumber: readonly string[] };
}

/** Starts the double on a port of its own. */
export async function startSsmDouble(): Promise<SsmDouble> {
    const sessions = new Map<string, { readonly request: StartRequest; readonly token: string }>();
    const answer = (target: string, body: string): [number, object] => {
        const refuse = (type: string): [number, object] => [400, { __type: type, message: "The double says no." }];
        if (double.refuses !== undefined || target !== "AmazonSSM.StartSession") {
            return refuse(double.refuses ?? "UnknownOperationException");
        }
        const request = JSON.parse(body) as StartRequest;
        if (!double.agents.has(request.Target)) {
            return refuse("TargetNotConnected");
        }
        const port = Number(request.Parameters.portNumber[0]);
        double.asked.push({ target: request.Target, document: request.DocumentName, port });
        const token = randomBytes(24).toString("base64");
        const SessionId = `up-${sessions.size}`;
        sessions.set(SessionId, { request, token });
        double.tokens.push(token);
        const StreamUrl = `${url.replace("http:", "ws:")}/v1/data-channel/${SessionId}?role=publish_subscribe`;
        return [200, { SessionId, StreamUrl, TokenValue: token }];
    };
    const { server, url, stop } = await startAnswering(({ headers }, text) => {
        const [status, body] = answer(String(headers["x-amz-target"]), text);
        return { status, body: JSON.stringify(body), type: "application/x-amz-json-1.1" };
    });
    const channels = new WebSocketServer({
        server,
        verifyClient: ({ req: { headers } }, done) => {
            const isSigned = headers.authorization?.includes("/eu-central-1/ssmmessages/aws4_request") ?? false;
            done(isSigned && !double.refusesChannels, 403);
        },
    });
    channels.on("connection", (socket, { url: path }) => {
        const session = sessions.get(/data-channel\/([^?]+)/.exec(path ?? "")?.[1] ?? "");
        const agent = double.agents.get(session?.request.Target ?? "");
        if (session === undefined || agent === undefined) {
            socket.close(1008, "no such session");
            return;
        }
        const { host, port = Number(session.request.Parameters.portNumber[0]) } = agent;
        serveSession(socket, { host, port, token: session.token, isFaulty: double.isFaulty, isMute: double.isMute });
    });
    const double: SsmDouble = {
        env: { AWS_ENDPOINT_URL_SSM: url },
        agents: new Map(),
        ...{ asked: [], tokens: [], refuses: undefined, isFaulty: false, isMute: false, refusesChannels: false },
        countOpen: () => channels.clients.size,
        close() {
            channels.clients.forEach((socket) => socket.terminate());
            return stop();
        },
    };
    return double;
}
