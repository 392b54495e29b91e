import { lookup } from "node:dns/promises";
import * as net from "node:net";
import type { MultiArchError } from "../errors";
import type { BuilderNode, TcpAddress, UnixAddress } from "./node";
import { builderError, runStage, type Budget } from "./preflightBudget";

/**
 * Asks the resolver of this machine for the host, the way a connection would, and gives its IP
 * addresses. One that is an IP address itself needs no answer.
 */
export async function resolveHost(node: BuilderNode, address: TcpAddress, budget: Budget): Promise<string[]> {
    if (net.isIP(address.host) !== 0) {
        return [address.host];
    }
    const fail = (detail: string, transient: boolean): MultiArchError =>
        builderError(node, "builder-unresolvable", `the name ${address.host} ${detail}`, {
            field: "address",
            transient,
        });
    try {
        const found = await runStage(budget, lookup(address.host, { all: true }), () => {
            return fail(`was not resolved within ${budget.timeoutMs / 1000} s`, true);
        });
        return found.map((one) => one.address);
    } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        if (code === "ENOTFOUND" || code === "ENODATA") {
            throw fail("does not resolve", false);
        }
        throw code?.startsWith("E") ? fail(`cannot be resolved (${code})`, true) : error;
    }
}

/** Opens a connection, and tells a closed port from a host that cannot be reached. */
export async function openConnection(
    node: BuilderNode,
    address: TcpAddress | UnixAddress,
    budget: Budget,
): Promise<net.Socket> {
    const socket =
        address.scheme === "unix"
            ? net.connect({ path: address.path })
            : net.connect({ host: address.host, port: address.port, autoSelectFamily: true });
    const connected = new Promise<void>((resolve, reject) => {
        socket.once("connect", resolve);
        socket.once("error", reject);
    });
    try {
        await runStage(budget, connected, () => {
            const what = `nothing answers on ${describeTarget(address)} within ${budget.timeoutMs / 1000} s`;
            return builderError(node, "builder-unreachable", what, { field: "address", transient: true });
        });
        return socket;
    } catch (error) {
        socket.on("error", () => undefined);
        socket.destroy();
        throw explainConnectError(node, address, error);
    }
}

function explainConnectError(node: BuilderNode, address: TcpAddress | UnixAddress, error: unknown): unknown {
    const code = connectCodeOf(error);
    const target = describeTarget(address);
    switch (code) {
        case undefined:
            return error;
        case "ECONNREFUSED":
            return builderError(node, "builder-refused", `${target} refuses connections`, {
                field: "address",
                transient: true,
            });
        case "ENOENT":
            return builderError(node, "builder-refused", `there is no socket ${target}`, { field: "address" });
        case "EACCES":
        case "EPERM":
            return builderError(node, "builder-unreachable", `this user may not connect to ${target} (${code})`, {
                field: "address",
                next: "Check the permissions of the socket, and local firewalls.",
            });
        default:
            return builderError(node, "builder-unreachable", `${target} cannot be reached (${code})`, {
                field: "address",
                transient: true,
            });
    }
}

/** With several addresses for a name, one error holds one for each of them. A refusal says most: a host is there. */
function connectCodeOf(error: unknown): string | undefined {
    if (error instanceof AggregateError) {
        const codes = error.errors.map((one) => connectCodeOf(one));
        return codes.find((code) => code === "ECONNREFUSED") ?? codes[0];
    }
    const code = (error as NodeJS.ErrnoException).code;
    return code !== undefined && /^E[A-Z]+$/.test(code) ? code : undefined;
}

function describeTarget(address: TcpAddress | UnixAddress): string {
    return address.scheme === "unix" ? address.path : `port ${address.port} of ${address.host}`;
}
