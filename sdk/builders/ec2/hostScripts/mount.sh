#!/bin/bash
# Mounts the volume of the cache. It is formatted only when there is nothing on it.
set -euo pipefail
# shellcheck source=common.sh
. /usr/local/lib/multiarch/common.sh

readonly label=multiarch-cache

format() {
    say "formatting $CACHE_DEVICE"
    mkfs.ext4 -q -F -L "$label" -m 0 -E nodiscard,lazy_itable_init=1,lazy_journal_init=1 "$CACHE_DEVICE"
}

# What is on the device by one of blkid's names. No answer at all means: nothing that anybody knows.
probe() {
    blkid --probe --output value --match-tag "$1" "$CACHE_DEVICE" || true
}

check() {
    local code=0
    e2fsck -p "$CACHE_DEVICE" || code=$?
    # 1 and 2: there were errors, and they have been corrected.
    if [ "$code" -ge 4 ]; then
        code=0
        e2fsck -y "$CACHE_DEVICE" || code=$?
    fi
    [ "$code" -lt 4 ]
}

if mountpoint --quiet "$mount_point"; then
    exit 0
fi
# The volume is attached after the instance has started.
for ((waited = 0; waited < 120; waited++)); do
    [ -b "$CACHE_DEVICE" ] && break
    sleep 1
done
[ -b "$CACHE_DEVICE" ] || fail "$CACHE_DEVICE did not appear within two minutes: is the volume attached?"

code=0
blkid --probe "$CACHE_DEVICE" >/dev/null || code=$?
case $code in
0) ;;
2) format ;;
*) fail "what is on $CACHE_DEVICE cannot be told, so it is not touched" ;;
esac
if [ "$(probe LABEL)" != "$label" ]; then
    fail "$CACHE_DEVICE holds something else ($(probe TYPE) $(probe PTTYPE)), so it is not touched"
fi
if ! check; then
    # By its label it is a cache, and nothing on it can be read any more.
    say "$CACHE_DEVICE is damaged beyond repair"
    format
fi
resize2fs "$CACHE_DEVICE" >/dev/null 2>&1 || say "$CACHE_DEVICE keeps its size"
mkdir -p "$mount_point"
mount -t ext4 -o noatime,nodev "$CACHE_DEVICE" "$mount_point"
