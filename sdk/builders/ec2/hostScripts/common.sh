# shellcheck shell=bash disable=SC2034
# What the scripts of a builder's host share. The settings hold no secret.

# shellcheck source=/dev/null
. /etc/multiarch/host.env

readonly state=/run/multiarch
readonly lib=/usr/local/lib/multiarch
readonly mount_point=/var/lib/buildkit
readonly root=$mount_point/root
readonly local_address=unix:///run/buildkit/buildkitd.sock
export PATH=$lib/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

say() {
    printf '%s: %s\n' "$(basename "$0" .sh)" "$*"
}

fail() {
    say "$@" >&2
    exit 1
}

# Seconds since boot: unlike the clock, it does not jump when the time is set.
uptime_seconds() {
    cut -d. -f1 /proc/uptime
}

ask_buildkit() {
    timeout 20 buildctl --addr "$local_address" "$@"
}
