import type { CommandResult } from "../build/exec";
import type { ErrorCode, MultiArchError } from "../errors";
import type { BuilderNode } from "./node";
import { builderError } from "./preflightBudget";
import type { ProgramCommand } from "./programCommand";

type Ending = Pick<CommandResult, "exitCode" | "stderrTail">;

/** What a program says, and what that means. */
interface Meaning {
    readonly pattern: RegExp;
    readonly code: ErrorCode;
    readonly what: string;
    readonly next?: string;
    readonly transient?: boolean;
}

// ssh ends with 255 for what is its own fault, and else as the command on the host did. See ssh(1).
const ofSsh: readonly Meaning[] = [
    { pattern: /Could not resolve hostname/, code: "builder-unresolvable", what: "ssh cannot resolve the host" },
    {
        pattern: /REMOTE HOST IDENTIFICATION HAS CHANGED/,
        code: "builder-ssh-host-key",
        what: "the host has another key than the one ssh knows",
        next: "Ask who runs the host whether its key has changed. Only then replace it in known_hosts.",
    },
    {
        pattern: /Host key verification failed/,
        code: "builder-ssh-host-key",
        what: "ssh does not know the key of the host",
    },
    {
        pattern: /Permission denied|Too many authentication failures|No more authentication methods/,
        code: "builder-ssh-denied",
        what: "the host takes none of the keys that ssh offers",
    },
    {
        pattern: /Connection refused/,
        code: "builder-refused",
        what: "the host refuses connections to ssh",
        next: "Check that sshd runs there and listens on this port, and that a firewall does not reject it.",
        transient: true,
    },
    {
        pattern: /timed out|No route to host|Network is unreachable|Connection (closed|reset)/,
        code: "builder-unreachable",
        what: "ssh does not reach the host",
        transient: true,
    },
];

const ofKubectl: readonly Meaning[] = [
    {
        pattern: /lookup .*(no such host|server misbehaving)/,
        code: "builder-unresolvable",
        what: "kubectl cannot resolve the name of the cluster",
    },
    {
        pattern: /was refused - did you specify|connection refused/,
        code: "builder-refused",
        what: "the cluster refuses connections",
        next: "Check the context of kubectl, and KUBECONFIG: kubectl config current-context.",
        transient: true,
    },
    {
        pattern: /context .* does not exist/,
        code: "builder-kube-context",
        what: "kubectl knows no such context",
    },
    {
        pattern: /\((Unauthorized|Forbidden)\)|is forbidden/,
        code: "builder-kube-denied",
        what: "this account may not run a command in the pod",
    },
    {
        pattern:
            /\(NotFound\)|completed pod|container not found|container .* is not valid for pod|does not have a host assigned/,
        code: "builder-kube-pod",
        what: "there is no such pod that runs",
        transient: true,
    },
    {
        pattern: /Unable to connect to the server|i\/o timeout|Client\.Timeout|deadline exceeded/,
        code: "builder-unreachable",
        what: "kubectl does not reach the cluster",
        transient: true,
    },
];

// What buildctl and the shell say where they run.
const ofBuildctl: readonly Meaning[] = [
    {
        pattern: /buildctl.*(not found|No such file)|(not found|No such file).*buildctl/i,
        code: "builder-no-buildctl",
        what: "there is no buildctl on PATH there",
    },
    {
        pattern: /dial unix [^:]*: connect: permission denied|permission denied.*buildkitd\.sock/i,
        code: "builder-unreachable",
        what: "the user there may not use the socket of buildkitd",
        next: "Let the user use it: [grpc] gid in buildkitd.toml, or another user in the address.",
    },
    {
        pattern: /no such file or directory|connection refused|failed to (?:dial|connect)/i,
        code: "builder-refused",
        what: "buildkitd does not run there, or listens on another socket",
        next: "Start buildkitd there, or name its socket: ssh://user@host/run/buildkit/buildkitd.sock.",
        transient: true,
    },
];

/** What is wrong when a program that is to reach a builder ends. */
export function explainProgram(node: BuilderNode, { file }: ProgramCommand, ending: Ending): MultiArchError {
    const lines = usefulLines(ending.stderrTail);
    const text = lines.join("\n");
    const isOwnFault = file === "ssh" ? ending.exitCode === 255 : ofKubectl.some(({ pattern }) => pattern.test(text));
    const meanings = isOwnFault ? (file === "ssh" ? ofSsh : ofKubectl) : ofBuildctl;
    const found = meanings.find(({ pattern }) => pattern.test(text));
    const { code, what, next, transient } = found ?? {
        code: "builder-unreachable",
        what: `${file} ended with status ${ending.exitCode ?? "unknown"}`,
        next: undefined,
        transient: false,
    };
    return builderError(node, code, what, {
        field: "address",
        lines: lines.slice(-5),
        ...(next === undefined ? {} : { next }),
        ...(transient === true ? { transient } : {}),
    });
}

/** What ssh and kubectl say beside the point: frames of warnings, and logs of kubectl's own. */
function usefulLines(text: string): string[] {
    return text
        .split(/\r?\n/)
        .map((line) => line.trim())
        .filter((line) => line !== "" && !/^@+$/.test(line) && !/^[EWI]\d{4} /.test(line));
}
