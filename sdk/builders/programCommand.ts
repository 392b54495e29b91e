import type { BuilderNode, HelperAddress } from "./node";

/** A program that reaches a builder: its input and output are the connection. */
export interface ProgramCommand {
    /** The program, by its name on PATH. */
    readonly file: "ssh" | "kubectl";
    readonly args: readonly string[];
}

/**
 * What buildx runs to reach a builder through ssh or kubectl, so that a check fails where a build would. ssh asks nobody
 * anything here, and does not wait for a host that says nothing. Undefined for another scheme.
 * https://github.com/moby/buildkit/blob/v0.31.1/client/connhelper/ssh/ssh.go and kubepod/kubepod.go
 */
export function programCommand(
    node: Pick<BuilderNode, "address">,
    scheme: HelperAddress["scheme"],
): ProgramCommand | undefined {
    const url = new URL(node.address);
    if (scheme === "ssh") {
        const socket = url.pathname === "" || url.pathname === "/" ? [] : ["--addr", `unix://${url.pathname}`];
        const args = [
            ...["-o", "BatchMode=yes", "-o", "ConnectTimeout=4"],
            ...(url.username === "" ? [] : ["-l", decodeURIComponent(url.username)]),
            ...(url.port === "" ? [] : ["-p", url.port]),
            ...["--", url.hostname, "buildctl", ...socket, "dial-stdio"],
        ];
        return { file: "ssh", args };
    }
    if (scheme === "kube-pod") {
        const [context, namespace, container] = ["context", "namespace", "container"].map((name) => {
            return `--${name}=${url.searchParams.get(name) ?? ""}`;
        });
        const where = [context, namespace].filter((option) => option !== undefined);
        const pod = ["exec", container ?? "", "-i", url.hostname, "--", "buildctl", "dial-stdio"];
        return { file: "kubectl", args: [...where, ...pod] };
    }
    return undefined;
}
