/**
 * Why something failed, as data. Texts are derived from these codes in one place, so that callers, tests and
 * policies never have to match sentences.
 */
export const errorCodes = {
    // What is missing or too old on the machine that runs `pulumi up`.
    "tool-missing": "Install it, or put it on PATH.",
    "buildx-missing": "Install docker buildx 0.19 or newer, or name its binary in MULTIARCH_BUILDX.",
    "buildx-too-old": "Install docker buildx 0.19 or newer, or name a newer binary in MULTIARCH_BUILDX.",
    "private-folder-unsafe": "Remove it, or point XDG_RUNTIME_DIR to a folder that only you can write.",

    // The builder, told apart before anything is built.
    "builder-unresolvable": "Check the host name in the address, and the DNS of this machine.",
    "builder-refused": "Check that buildkitd runs and listens on this port, and that a firewall does not reject it.",
    "builder-unreachable": "Check routes, security groups and firewalls between this machine and the builder.",
    "builder-tls-expired": "Renew the certificate and restart buildkitd: it reads its certificates only once.",
    "builder-tls-not-yet-valid": "Check the clocks of both machines, or issue the certificate again.",
    "builder-tls-untrusted": "Give the CA that signed the builder's certificate as tls.ca.",
    "builder-tls-name": "Set serverName to a name the builder's certificate carries.",
    "builder-tls-client-refused": "Give a client certificate and key signed by the CA that buildkitd trusts.",
    "builder-tls-material": "Give ca, cert and key as PEM text, and a key that belongs to the certificate.",
    "builder-tls-missing": "The builder speaks TLS: give tls.ca, tls.cert and tls.key.",
    "builder-not-tls": "Give buildkitd a certificate (--tlscert, --tlskey, --tlscacert), or check the port.",
    "builder-not-buildkit": "Check the address: something else answers there.",
    "builder-insecure": "Give tls.ca, tls.cert and tls.key. Only for a network you own alone: set insecure to true.",
    "builder-too-old": "Upgrade buildkitd.",
    "builder-wrong-platform": "Point this platform to a builder that has it.",
    "builder-emulated": "Use a native builder for this platform, or accept slow builds by setting emulation to allow.",
    "builder-unhealthy": "Look at the builder's log.",
    "builder-full": "Raise maxParallelism where the builder has room, add a builder, or raise timeoutSeconds.",
    "builder-disk-full": "Free space there, or let BuildKit collect garbage earlier (maxUsedSpace, minFreeSpace).",
    "builder-inodes-exhausted": "Prune the cache there, or make the file system with more inodes.",
    "builder-read-only": "Look at the kernel's log there: file systems turn read-only after errors of the disk.",
    "builder-ssh-host-key": "Connect once by hand as the same user and compare the key, or add it to known_hosts.",
    "builder-ssh-denied": "Give ssh a key that the host takes: in the agent, or as IdentityFile in ~/.ssh/config.",
    "builder-no-buildctl": "Install buildctl there, where commands without a login find it, such as /usr/bin.",
    "builder-kube-context": "Name one that kubectl config get-contexts lists, or leave context out.",
    "builder-kube-denied": "Give the account the right to create pods/exec in this namespace.",
    "builder-kube-pod": "Check the name, the namespace and the container in the address: kubectl get pods.",
    "builder-none": "Add a builder for this platform.",
    "builder-address": "Use tcp://, unix://, ssh://, kube-pod:// or docker-container://.",
    "builder-docker-context": "Name a context that docker context ls lists, or leave context out.",
    "builder-docker-unreachable":
        "Check that the Docker daemon runs, and its address in the context or in DOCKER_HOST.",
    "builder-docker-denied": "Add this user to the group docker, or name a context of a daemon that it may use.",
    "builder-docker-settings": "Change what the lines above object to.",
    "builder-docker-image":
        "Check the name of the image, and that the daemon reaches its registry; or name another one.",
    "builder-docker-start": "Look at the lines above, and change config, network or options.",
    "builder-unknown": "Name a builder that docker buildx ls lists, or make one with docker buildx create.",
    "builder-host-settings": "Change the setting that is named above.",
    "builder-driver": "Name a builder of another driver, or use builders.docker for this daemon.",

    "builder-ec2": "Look at the instance and its system log in EC2, then run up again.",
    "builder-ec2-capacity": "Run up again later, or add a node of another type or in another zone.",
    "builder-ec2-denied": "Give the AWS credentials of this machine the permissions in docs/ec2.md.",
    "builder-ec2-sdk": "Run npm install @aws-sdk/client-ec2.",
    "builder-ec2-unknown": "Check ec2.instanceId and ec2.region, and which account the AWS credentials are for.",

    // What the program says.
    "input-invalid": "Correct the inputs that are named, and run up again.",
    "fleet-name-taken": "Give each fleet of the program a name of its own.",

    // The engine docker-build.
    "docker-build-missing": "Run npm install @pulumi/docker-build, or use engine: buildx.",

    "platform-unknown": "Write it as os/architecture with an optional variant, for example linux/amd64.",

    // The build.
    "build-step-failed": "Fix the step and run up again: finished platforms are kept.",
    "build-failed": "Read the last lines above, fix the cause and run up again: finished platforms are kept.",
    "build-timeout": "Raise timeoutSeconds, or look at the builder for what holds it up.",
    "build-cancelled": "Run up again: finished platforms are kept.",
    "build-lost-connection": "Look at the builder's log, then run up again: steps it finished are cached there.",
    "build-no-digest": "Run up again. If it stays, report it with the version of buildx and buildkitd.",

    // Moving over.
    "bake-failed": "Run docker buildx bake --print with the same file, and fix what it says.",
    // The cache.
    "cache-environment": "Give it in the program, or run up in an action of a GitHub job, which has these variables.",

    // What is to be built.
    "context-missing": "Check the path: it starts at the folder of the program.",
    "context-unreadable": "Check the permissions of the folder and what is in it.",
    "context-unresolved": "Check the address and branch, and that this machine may read it.",
    "context-ignore-invalid": "Fix the pattern in the ignore file.",

    // The registry, told apart by what an answer means.
    "registry-reference": "Write it as registry/name, for example registry.example.com/team/app.",
    "registry-not-found": "Check the name, and create the repository first where the registry asks for it.",
    "registry-unauthorized": "Check user name and password for this registry.",
    "registry-forbidden": "Give this account the right to push to the repository.",
    "registry-refused": "Read what the registry says above, and change what it objects to.",
    "registry-rate-limited": "Wait and run up again, or use an account with a higher limit.",
    "registry-broken": "Look at the state of the registry, then run up again.",
    "registry-unreachable": "Check the address of the registry, and routes and proxies of this machine.",
    "registry-timeout": "Raise customTimeouts of the resource, or look at the registry for what holds it up.",
    "registry-untrusted": "Put the registry's CA into SSL_CERT_FILE, or into the certs.d folder of docker.",
    "registry-credentials": "Run the credential helper by hand, or give the account in registries.",

    // Taking over what something else has made.
    "import-not-image": "Give the digest of one platform's image, as repository@sha256:...",
    "import-not-index": "Give a tag or the digest of an index, as repository:tag or repository@sha256:...",

    // Tags.
    "tag-conflict": "Look who moved the tag. To take it over, set onTagConflict to overwrite for one up.",

    // The platforms of one index are built together, or not at all.
    "sibling-not-ready": "Fix the other platform first: its own message says how.",

    // What is said about an image.
    "attestation-missing": "Upgrade buildkitd to 0.11 or newer, or take it out of attestations.",
    "attestation-leak":
        "Delete this manifest in the registry, change the secret, and set attestations.provenance to min.",

    // Files that hold an image.
    "export-failed": "Choose another dest, or look at the folder it is in.",
    // Signatures.
    "sign-failed": "Read what failed above, check what signs and that this machine reaches it, then run up again.",
    "signature-invalid": "Check that sign and verify name the same key or identity.",
    "signature-missing": "Sign the image first, or take verify out.",
    "trusted-root-unreachable": "Give verify.trustedRoot, or let this machine reach https://tuf-repo-cdn.sigstore.dev.",

    // The index.
    "index-incomplete": "Run refresh and then up: what is missing is built and pushed again.",
} as const;

/** The reason of a failure, a key of the table above. */
export type ErrorCode = keyof typeof errorCodes;

/** What is known about a failure, beyond its code. All of it is safe to print: no field may hold a secret. */
export interface ErrorFields {
    /** One sentence, without a full stop: what failed, in the user's words. */
    readonly what: string;
    /** The platform that was being built. */
    readonly platform?: string | undefined;
    /** The builder that was in use: its address, with its name where it has one. */
    readonly builder?: string | undefined;
    /** Where the user wrote the value that has to change, for example `builders.endpoints[1].address`. */
    readonly property?: string | undefined;
    /** The registry that was asked. Not printed: `what` tells it where it matters. */
    readonly registry?: string | undefined;
    /** The last useful lines of output. */
    readonly lines?: readonly string[] | undefined;
    /** The next step, where the one in the table does not fit. */
    readonly next?: string | undefined;
    /** True when the same request may well succeed in a moment. */
    readonly transient?: boolean | undefined;
    /** What caused it. Only for debugging; its text is never printed. */
    readonly cause?: unknown;
}

/**
 * The one error this package throws on purpose. Read `code` to decide, `message` to print: the message says what
 * failed, for which platform and builder, the last useful lines, and the next step.
 */
export class MultiArchError extends Error {
    override readonly name = "MultiArchError";
    readonly code: ErrorCode;
    readonly fields: ErrorFields;

    constructor(code: ErrorCode, fields: ErrorFields) {
        super(describeError(code, fields), fields.cause === undefined ? {} : { cause: fields.cause });
        this.code = code;
        this.fields = fields;
    }

    /** What the user can do about it. */
    get next(): string {
        return this.fields.next ?? errorCodes[this.code];
    }

    /** True when retrying the same request may help. */
    get transient(): boolean {
        return this.fields.transient === true;
    }

    /** The same error, with more known about it. */
    with(more: Partial<ErrorFields>): MultiArchError {
        return new MultiArchError(this.code, { ...this.fields, ...more });
    }
}

/** The text for people. The code closes it, so that it can be searched for in the docs. */
export function describeError(code: ErrorCode, fields: ErrorFields): string {
    const place = [fields.platform, fields.builder && `builder ${fields.builder}`].filter(Boolean).join(", ");
    const lines = [`${escapeLine(`${place ? `${place}: ` : ""}${fields.what}`)} [${code}]`];
    if (fields.property) {
        lines.push(`  property: ${escapeLine(fields.property)}`);
    }
    for (const line of fields.lines ?? []) {
        lines.push(`  | ${escapeControls(line)}`);
    }
    lines.push(`  next: ${escapeLine(fields.next ?? errorCodes[code])}`);
    return lines.join("\n");
}

/** Output of a build may hold anything: control characters would let it rewrite the user's terminal. */
export function escapeControls(text: string): string {
    // eslint-disable-next-line no-control-regex -- control characters are what this is about
    return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => {
        return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
    });
}

/** What has a line of its own must not go on in the next one, where it could pass for something else. */
function escapeLine(text: string): string {
    return escapeControls(text).replaceAll("\n", "\\n");
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}

/** What failed, in one sentence: the reason of a wrong input, where the place is told apart from it. */
export function whatOf(error: unknown): string {
    return error instanceof MultiArchError ? error.fields.what : messageOf(error);
}
