#!/bin/bash
# Runs before each start of the daemon.
set -euo pipefail
# shellcheck source=common.sh
. /usr/local/lib/multiarch/common.sh

install -d -m 0700 "$state"
"$lib/install.sh"
"$lib/mount.sh"
"$lib/tls.sh"

cores=$(nproc)
sed "s/^max-parallelism = .*/max-parallelism = ${MAX_PARALLELISM:-$((cores > 2 ? cores : 2))}/" \
    /etc/multiarch/buildkitd.toml >"$state/buildkitd.toml"

# Steps must not become the instance. Its hop limit of 1 keeps answers away from them, and this their questions.
for address in 169.254.169.254 fd00:ec2::254; do
    family=-4
    [ "$address" = "${address#*::}" ] || family=-6
    ip "$family" rule delete iif "$STEP_BRIDGE" to "$address" prohibit 2>/dev/null || true
    ip "$family" rule add iif "$STEP_BRIDGE" to "$address" prohibit 2>/dev/null ||
        [ "$family" = -6 ] || fail "steps cannot be kept from the credentials of the instance"
done

"$lib/quarantine.sh"
