#!/usr/bin/env bash
# Runs commands in ever more address space (ulimit -v), from far too little to enough: each ends by itself with status 0,
# 1 or 2, and says why. Status 1 where one crashes or hangs.
# Usage: Scripts/starve.sh [--short]     (few steps, for continuous integration)
set -euo pipefail
cd "$(dirname "$0")/.."
source Scripts/lib/trust.sh
case "${1:-}" in -h | --help) sed -n '2,4s/^# //p' "$0"; exit 0 ;; esac
install_dependencies
swift build -c release --product cetnet >&2
cetnet="$(swift build -c release --show-bin-path)/cetnet"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
"$cetnet" init cetnet-t --num-labels 10 --output "$work/model" >/dev/null
image="$(find models/digits/images -name '*.png' | sort | head -n 1)"
"$cetnet" preprocess --model models/digits "$image" --output "$work/x.npy" >/dev/null

# In MiB. Below some 190 the system cannot even load the program's libraries, or Swift's runtime start.
if [ "${1:-}" = --short ]; then steps=(200 240 320 450 700 1200 2600)
else steps=($(seq 190 10 400) $(seq 425 25 1600) $(seq 1700 100 2600)); fi

calls=0
failed=0
starve() { # a name, then the command's arguments
    local name="$1" step status results=0 errors=0
    shift
    for step in "${steps[@]}"; do
        status=0
        (ulimit -v $((step * 1024)); exec timeout --kill-after 5 120 "$cetnet" "$@") \
            >"$work/output" 2>"$work/errors" || status=$?
        calls=$((calls + 1))
        case $status in
            0) results=$((results + 1)) ;;
            1 | 2)
                errors=$((errors + 1))
                # Without a word it would be no error that helps anybody.
                [ -s "$work/errors" ] || [ -s "$work/output" ] || status=silent
                ;;
        esac
        case $status in
            0 | 1 | 2) ;;
            *)
                failed=$((failed + 1))
                echo "Error: $name in $step MiB: status $status: $(head -c 300 "$work/errors")" >&2
                ;;
        esac
    done
    echo "$name: $results results, $errors errors in ${#steps[@]} steps"
}

starve "inspect" inspect "$work/model"
starve "classify" classify --model "$work/model" "$image"
starve "classify, a small model" classify --model models/digits models/digits/images
starve "run" run --model models/digits --input "$work/x.npy" --output "$work/y.npy"
starve "bench" bench cetnet-t --runs 1 --warmup 0 --threads 2
starve "bench, large images" bench ce-pvt-s --runs 1 --warmup 0 --threads 1 --image-size 1024
starve "bench, OpenBLAS" bench models/digits --runs 1 --warmup 0 --threads 2 --sessions 3 --backend openblas
echo "$calls calls, $failed crashed, hung or said nothing"
[ "$failed" -eq 0 ]
