#!/usr/bin/env bash
# Lets 64 callers use three shared models at several sizes, blocking and async, with cancellation and bad input, and
# compares every answer bit by bit. The status is 1 where an answer differs or memory, threads or descriptors grow.
# Usage: Scripts/soak.sh [MINUTES]     (default: 60)
set -euo pipefail
cd "$(dirname "$0")/.."
source Scripts/lib/trust.sh
case "${1:-}" in -h | --help) sed -n '2,4s/^# //p' "$0"; exit 0 ;; esac
minutes="${1:-60}"
[[ "$minutes" =~ ^[1-9][0-9]*$ ]] || fail "expected minutes, found '$minutes'"
build_trust plain Trust
"$trust_program" soak $((minutes * 60))
