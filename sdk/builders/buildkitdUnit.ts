/** What the unit of a builder's host depends on. */
export interface BuildkitdUnitSettings {
    /** The program. By default `/usr/local/bin/buildkitd`. */
    readonly program?: string | undefined;
    /** The buildkitd.toml. By default `/etc/buildkit/buildkitd.toml`. */
    readonly config?: string | undefined;
    /** The folder of cache and state: the unit waits for its volume. By default `/var/lib/buildkit`. */
    readonly root?: string | undefined;
    /** How long builds that run may go on when the host shuts down, in seconds. By default 3600. */
    readonly stopSeconds?: number | undefined;
}

/** The systemd unit of a builder's host, `buildkit.service`. Equal settings give equal text. */
export function writeBuildkitdUnit(settings: BuildkitdUnitSettings = {}): string {
    const { program = "/usr/local/bin/buildkitd", config = "/etc/buildkit/buildkitd.toml" } = settings;
    const { root = "/var/lib/buildkit", stopSeconds = 3600 } = settings;
    return `[Unit]
Description=BuildKit
Documentation=https://github.com/moby/buildkit
Wants=network-online.target
After=network-online.target
RequiresMountsFor=${quote(root)}

[Service]
Type=notify
ExecStart=${quote(program)} --config ${quote(config)}
Restart=always
RestartSec=2
# The first signal lets builds end and takes no new ones. Nobody but the daemon is told: its steps go on until then.
KillMode=mixed
TimeoutStopSec=${stopSeconds}
# The kernel ends a step that takes too much memory. The daemon, and the builds of others, go on.
OOMPolicy=continue
OOMScoreAdjust=-500
# Steps have groups of their own below the unit's.
Delegate=yes
TasksMax=infinity
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=0

[Install]
WantedBy=multi-user.target
`;
}

/** A word of a unit as systemd reads it: no spaces, variables or specifiers. See systemd.service(5). */
function quote(word: string): string {
    const escaped = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
    return /^[\w@%+=:,./$-]+$/.test(escaped) ? escaped : JSON.stringify(escaped);
}
