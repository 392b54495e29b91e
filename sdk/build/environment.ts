// What buildx gets to know of the machine it runs on, by name. Everything else stays out: a variable such as
// BUILDX_BUILDER or SOURCE_DATE_EPOCH on one machine must not change what is built there.

const passedOn = [
    // To find programs, the keys of ssh and the configuration of kubectl, which reach some kinds of builders.
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SSH_AUTH_SOCK",
    "KUBECONFIG",
    "DOCKER_HOST",
    "DOCKER_CERT_PATH",
    "DOCKER_TLS_VERIFY",
    // To reach the registry's token server, which buildx asks on behalf of the builder.
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    // The cache of GitHub Actions.
    "ACTIONS_CACHE_SERVICE_V2",
    "ACTIONS_CACHE_URL",
    "ACTIONS_RESULTS_URL",
    "ACTIONS_RUNTIME_TOKEN",
    // Windows needs these to start anything.
    "SystemRoot",
    "USERPROFILE",
    "APPDATA",
    "PATHEXT",
];

// What credential helpers need, by the beginning of the name: they find the account of the cloud in there.
const passedOnPrefixes =
    /^(AWS|ECR|GOOGLE|CLOUDSDK|GCLOUD|GCR|AZURE|ARM|ACR|MSI|IDENTITY|XDG|DBUS|PASSWORD_STORE|GNUPG)/;

/** What buildx must not find out by itself, whatever the machine says. */
const fixed: Readonly<Record<string, string>> = {
    BUILDX_NO_DEFAULT_ATTESTATIONS: "1",
    BUILDX_METADATA_PROVENANCE: "disabled",
    BUILDX_METADATA_WARNINGS: "0",
    BUILDX_GIT_INFO: "0",
    BUILDX_GIT_LABELS: "0",
    DOCKER_CLI_HINTS: "false",
};

/** Where one run of buildx keeps its things, all in a private folder. */
export interface BuildxPlaces {
    /** The folder of config.json, with the accounts of registries. */
    readonly dockerConfig: string;
    /** The folder where buildx writes its builders down. */
    readonly buildxConfig: string;
    /** The folder for what buildx writes in passing. */
    readonly temporary: string;
}

/** The environment of buildx: the little it needs of this machine's, and private places. */
export function buildxEnvironment(
    machine: Readonly<Record<string, string | undefined>>,
    places: BuildxPlaces,
): Record<string, string> {
    const picked = Object.entries(machine).filter((entry): entry is [string, string] => {
        return entry[1] !== undefined && (passedOn.includes(entry[0]) || passedOnPrefixes.test(entry[0]));
    });
    return {
        ...Object.fromEntries(picked),
        ...fixed,
        DOCKER_CONFIG: places.dockerConfig,
        BUILDX_CONFIG: places.buildxConfig,
        TMPDIR: places.temporary,
    };
}

// A build argument travels in the environment of buildx under its own name. These names mean something to buildx
// itself, to the Go programs and libraries it is made of, or to ssh, git, kubectl and docker, which it starts.
const reservedNames = new Set(
    [...passedOn, ...Object.keys(fixed), "TMPDIR", "TEMP", "TMP", "SHELL", "IFS", "ENV", "BASH_ENV", "PWD", "TERM"].map(
        (name) => name.toUpperCase(),
    ),
);
const reservedGo =
    /^(GODEBUG|GOMAXPROCS|GOGC|GOMEMLIMIT|GOTRACEBACK|GOCOVERDIR|GORACE|RES_OPTIONS|LOCALDOMAIN|ZONEINFO)$/;
const reservedPrefixes =
    /^(DOCKER|BUILDX|BUILDKIT|EXPERIMENTAL_BUILDKIT|OTEL|TRACE|GRPC|LD|DYLD|SSL|SSH|GIT|KUBE|KUBERNETES|ACTIONS|SUDO|WSL)_/;
// `DEBUG` makes docker's libraries print stack traces in place of errors; the others rule the interpreters that
// credential helpers are written in. https://github.com/docker/cli/blob/v28.0.0/cli/debug/debug.go
const reservedOthers =
    /^(DEBUG|TRACEPARENT|TRACESTATE|NODE_OPTIONS|NODE_PATH|PERL5LIB|PERL5OPT|RUBYOPT|RUBYLIB|SHELLOPTS)$|^PYTHON/;
const reservedProxies = /^(HTTP|HTTPS|FTP|ALL|NO)_PROXY$/;

/** True for a name that would change how buildx runs, were it in its environment. */
export function isReservedName(name: string): boolean {
    const upper = name.toUpperCase();
    const patterns = [reservedGo, reservedPrefixes, reservedOthers, reservedProxies, passedOnPrefixes];
    return reservedNames.has(upper) || patterns.some((pattern) => pattern.test(upper));
}
