#!/bin/bash
# Puts a cache aside that the daemon cannot start with. It is to blame when the daemon fails again and again, and starts
# with an empty folder and otherwise the same configuration.
set -euo pipefail
# shellcheck source=common.sh
. /usr/local/lib/multiarch/common.sh

readonly failures_allowed=3
readonly counter=$state/starts

starts_with_empty_root() {
    local trial pid result=1
    trial=$(mktemp -d "$mount_point/trial.XXXXXX")
    buildkitd --config "$state/buildkitd.toml" --root "$trial" --addr "unix://$trial/socket" >"$trial.log" 2>&1 &
    pid=$!
    for ((waited = 0; waited < 30; waited++)); do
        if timeout 5 buildctl --addr "unix://$trial/socket" debug workers >/dev/null 2>&1; then
            result=0
            break
        fi
        kill -0 "$pid" 2>/dev/null || break
        sleep 1
    done
    kill "$pid" 2>/dev/null || true
    wait "$pid" || true
    [ "$result" -eq 0 ] || tail -n 5 "$trial.log"
    rm -rf "$trial" "$trial.log"
    return "$result"
}

# The unit forgets the count when the daemon is up.
count=$(($(cat "$counter" 2>/dev/null || echo 0) + 1))
printf '%s\n' "$count" >"$counter"
if [ "$count" -le "$failures_allowed" ] || [ ! -d "$root" ]; then
    exit 0
fi
if ! starts_with_empty_root; then
    say "the daemon does not start with an empty cache either: the cache stays"
    exit 0
fi
rm -rf "$mount_point"/quarantine-*
target=$mount_point/quarantine-$(date -u +%Y%m%dT%H%M%SZ)
mv "$root" "$target"
rm -f "$counter"
say "the cache is damaged: it is now $target, and builds start with an empty one"
