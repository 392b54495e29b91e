#!/bin/bash
# Installs the pinned BuildKit, once. Its emulators stay in the archive: what is not native has to fail.
set -euo pipefail
# shellcheck source=common.sh
. /usr/local/lib/multiarch/common.sh

readonly marker=$lib/bin/.sha256

# Steps have a network of their own, which BuildKit's plugins make with iptables.
if ! command -v iptables >/dev/null; then
    if command -v dnf >/dev/null; then
        dnf install --assumeyes iptables-nft
    else
        apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --assume-yes iptables
    fi
fi

if [ "$(cat "$marker" 2>/dev/null)" = "$BUILDKIT_SHA256" ]; then
    exit 0
fi
say "fetching BuildKit $BUILDKIT_VERSION"
work=$(mktemp -d "$lib/install.XXXXXX")
trap 'rm -rf "$work"' EXIT
curl --fail --silent --show-error --location --retry 5 --retry-connrefused --connect-timeout 10 --max-time 600 \
    --output "$work/buildkit.tar.gz" "$BUILDKIT_URL" || fail "cannot fetch $BUILDKIT_URL"
found=$(sha256sum "$work/buildkit.tar.gz" | cut -d' ' -f1)
if [ "$found" != "$BUILDKIT_SHA256" ]; then
    fail "$BUILDKIT_URL has the sha256 $found, not $BUILDKIT_SHA256: it is not installed"
fi
tar --extract --gzip --file "$work/buildkit.tar.gz" --directory "$work" --no-same-owner --wildcards \
    bin/buildctl bin/buildkitd bin/buildkit-runc 'bin/buildkit-cni-*'
printf '%s\n' "$BUILDKIT_SHA256" >"$work/bin/.sha256"
rm -rf "${lib:?}/bin"
mv "$work/bin" "$lib/bin"
