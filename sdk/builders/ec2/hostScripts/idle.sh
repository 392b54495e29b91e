#!/bin/bash
# Powers the machine off when it has had no build for a while, or only one that does not end. A daemon that does not
# answer counts as idle, so that a broken host does not cost for ever.
set -euo pipefail
# shellcheck source=common.sh
. /usr/local/lib/multiarch/common.sh

readonly busy_file=$state/busy
readonly changed_file=$state/changed
readonly seen_file=$state/seen

install -d -m 0700 "$state"
now=$(uptime_seconds)
for file in "$busy_file" "$changed_file"; do
    [ -e "$file" ] || printf '%s\n' "$now" >"$file"
done

# Waiting builds hold a record here too.
records=$(ask_buildkit debug histories --format \
    '{{.Type}} {{.Record.CreatedAt.AsTime.Unix}} {{if .Record.CompletedAt}}{{.Record.CompletedAt.AsTime.Unix}}{{end}}' \
    2>/dev/null) && answers=yes || answers=
active=$(grep -c '^STARTED' <<<"$records" || true)
# The newest start and the newest end: old records that are thrown away are no sign of life.
newest=$(awk 'NF > 1 { if ($2 > made) made = $2; if ($3 > done) done = $3 } END { print made + 0, done + 0 }' <<<"$records")

if [ -n "$answers" ] && [ "$newest $active" != "$(cat "$seen_file" 2>/dev/null)" ]; then
    # What the cache remembers of earlier days is no build of today.
    if [ -e "$seen_file" ] || [ "$active" -gt 0 ]; then
        printf '%s\n' "$now" >"$changed_file"
        printf '%s\n' "$now" >"$busy_file"
    fi
    printf '%s\n' "$newest $active" >"$seen_file"
fi
if [ "$active" -gt 0 ]; then
    printf '%s\n' "$now" >"$busy_file"
fi

idle=$((now - $(cat "$busy_file")))
still=$((now - $(cat "$changed_file")))
if [ "$idle" -ge "$IDLE_SECONDS" ]; then
    say "no build for $idle s: power off"
elif [ "$still" -ge "$DEAD_MAN_SECONDS" ]; then
    say "no build has started or ended for $still s: power off"
else
    exit 0
fi
sync
systemctl poweroff
