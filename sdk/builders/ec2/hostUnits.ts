import type { CompleteHostSettings } from "./hostSettings";

/** Where the scripts are on the host. */
export const scriptFolder = "/usr/local/lib/multiarch";

/** The unit of the daemon. */
export const daemonUnit = "multiarch-buildkitd.service";

/** The unit that looks after daemon and machine, again and again. */
export const tickTimer = "multiarch-tick.timer";

const tickService = "multiarch-tick.service";

/** The units of systemd, by name. */
export function writeUnits({ idleMinutes }: CompleteHostSettings): Readonly<Record<string, string>> {
    const tickSeconds = Math.min(30, Math.max(1, Math.floor((idleMinutes * 60) / 4)));
    return {
        [daemonUnit]: writeUnit({
            Unit: [
                ["Description", "BuildKit, a builder of pulumi-multiarch"],
                ["Wants", "network-online.target"],
                ["After", "network-online.target local-fs.target"],
                // It tries for as long as the machine runs: the idle limit is what ends that.
                ["StartLimitIntervalSec", "0"],
            ],
            Service: [
                ["Type", "notify"],
                [
                    "Environment",
                    `PATH=${scriptFolder}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
                ],
                ["ExecStartPre", `${scriptFolder}/prepare.sh`],
                ["ExecStart", `${scriptFolder}/bin/buildkitd --config /run/multiarch/buildkitd.toml`],
                ["ExecStartPost", "/bin/rm -f /run/multiarch/starts"],
                ["ExecStopPost", "/bin/rm -rf /run/multiarch/tls"],
                ["ExecStopPost", "/bin/sync"],
                ["Restart", "always"],
                ["RestartSec", "2"],
                // It may have to fetch BuildKit, wait for the volume and repair it.
                ["TimeoutStartSec", "900"],
                // The daemon waits for builds that run, and closes its databases. EC2 waits for a few minutes, and gives a
                // spot instance two.
                ["TimeoutStopSec", "60"],
                ["KillMode", "mixed"],
                ["Delegate", "yes"],
                ["LimitNOFILE", "1048576"],
                ["LimitNPROC", "infinity"],
                ["TasksMax", "infinity"],
                // A step that the kernel kills for want of memory must not take the daemon with it.
                ["OOMPolicy", "continue"],
                ["OOMScoreAdjust", "-500"],
            ],
            Install: [["WantedBy", "multi-user.target"]],
        }),
        [tickService]: writeUnit({
            Unit: [["Description", "Looks whether BuildKit answers, and whether anything is built"]],
            Service: [
                ["Type", "oneshot"],
                // A failure of the first must not keep the second from its work.
                ["ExecStart", `-${scriptFolder}/watch.sh`],
                ["ExecStart", `${scriptFolder}/idle.sh`],
                ["TimeoutStartSec", "300"],
            ],
        }),
        [tickTimer]: writeUnit({
            Unit: [["Description", "Looks after BuildKit and the machine"]],
            Timer: [
                ["OnActiveSec", `${tickSeconds}s`],
                ["OnUnitInactiveSec", `${tickSeconds}s`],
                ["AccuracySec", "1s"],
            ],
            Install: [["WantedBy", "timers.target"]],
        }),
    };
}

type Section = readonly (readonly [name: string, value: string])[];

function writeUnit(sections: Readonly<Record<string, Section>>): string {
    return Object.entries(sections)
        .map(([name, lines]) => [`[${name}]`, ...lines.map((line) => line.join("=")), ""].join("\n"))
        .join("\n");
}
