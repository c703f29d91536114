#!/usr/bin/env bash
# Puts very many damaged files of each kind through the API, a process for each kind: every file gives a result or a
# documented error, and memory stays within twice the file and its decoded form. The status is 1 where that fails.
# Usage: Scripts/mutate.sh [COUNT]     (default: 100000 of each kind)
set -euo pipefail
cd "$(dirname "$0")/.."
source Scripts/lib/trust.sh
case "${1:-}" in -h | --help) sed -n '2,4s/^# //p' "$0"; exit 0 ;; esac
count="${1:-100000}"
[[ "$count" =~ ^[1-9][0-9]*$ ]] || fail "expected how many files, found '$count'"
build_trust plain Trust
failed=0
for corpus in Trust/Corpora/*; do
    TMPDIR="$memory" timeout --kill-after 10 3600 "$trust_program" mutate "$(basename "$corpus")" "$count" "$corpus" ||
        failed=$((failed + 1))
done
[ "$failed" -eq 0 ]
