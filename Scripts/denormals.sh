#!/usr/bin/env bash
# Measures how much images and weights of numbers below the smallest normal one slow a run; status 1 above 1.2 times.
# Usage: Scripts/denormals.sh
set -euo pipefail
cd "$(dirname "$0")/.."
source Scripts/lib/trust.sh
case "${1:-}" in -h | --help) sed -n '2,3s/^# //p' "$0"; exit 0 ;; esac
build_trust plain Trust
"$trust_program" denormals
