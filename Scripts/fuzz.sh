#!/usr/bin/env bash
# Fuzzes what takes files from strangers, guided by coverage, with AddressSanitizer.
# Usage: Scripts/fuzz.sh [TARGET|all] [SECONDS]     (default: all, 20 seconds each)
#        Scripts/fuzz.sh --merge        puts what fuzzing has found worth keeping into Trust/Corpora
#
# Targets: safetensors shards json configuration model jpeg png numpy csv (Tests/FuzzTargets says what each does).
# Inputs that reach new code stay in Trust/.build/found for the next time. One that breaks something is written to
# Trust/Findings, and the status is 1: mend the fault, and put the file into Trust/Corpora, which the tests replay.
set -euo pipefail
cd "$(dirname "$0")/.."
source Scripts/lib/trust.sh
case "${1:-}" in -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;; esac

targets=(safetensors shards json configuration model jpeg png numpy csv)
# Inputs longer than these reach nothing new.
longest() { case "$1" in model) echo 40000 ;; *) echo 4096 ;; esac; }

build_fuzzer() {
    local coverage=-sanitize-coverage=edge,inline-8bit-counters,pc-table,trace-cmp
    build_trust fuzz Fuzz --sanitize fuzzer --sanitize address -Xswiftc -parse-as-library -Xswiftc $coverage
}

# The fuzzer with a target and libFuzzer's options; the process is ended if it does not end itself.
fuzz() { # seconds, target, options
    # The runtime's own report of a crash and AddressSanitizer's wait for each other.
    CETNET_FUZZ_TARGET="$2" SWIFT_BACKTRACE=enable=no TMPDIR="$memory" \
        ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=0 timeout --kill-after 10 $(($1 + 120)) \
        nice "$trust_program" -max_len="$(longest "$2")" -timeout=20 -rss_limit_mb=2048 "${@:3}"
}

merge() {
    build_fuzzer
    local target
    for target in "${targets[@]}"; do
        [ -d "Trust/.build/found/$target" ] || continue
        fuzz 600 "$target" -merge=1 "Trust/Corpora/$target" "Trust/.build/found/$target" 2>&1 | tail -n 1
    done
    du -sh --apparent-size Trust/Corpora
}

case "${1:-all}" in
    --merge) merge; exit ;;
    all) chosen=("${targets[@]}") ;;
    *)
        chosen=("$1")
        [[ " ${targets[*]} " == *" $1 "* ]] || fail "there is no target '$1'; there are ${targets[*]}"
        ;;
esac
seconds="${2:-20}"
[[ "$seconds" =~ ^[1-9][0-9]*$ ]] || fail "expected seconds, found '$seconds'"
build_fuzzer
mkdir -p Trust/Findings
failed=0
printf '%-14s %8s %12s %8s %8s\n' target seconds executions edges corpus
for target in "${chosen[@]}"; do
    found="Trust/.build/found/$target"
    log="Trust/.build/fuzz-$target.txt"
    mkdir -p "$found"
    dictionary=()
    [ ! -e "Trust/Dictionaries/$target.dict" ] || dictionary=("-dict=Trust/Dictionaries/$target.dict")
    status=0
    fuzz "$seconds" "$target" -max_total_time="$seconds" -artifact_prefix="Trust/Findings/$target-" \
        "${dictionary[@]}" "$found" "Trust/Corpora/$target" >"$log" 2>&1 || status=$?
    # "#12345 DONE cov: 678 ft: 901 corp: 23/4567b …"
    read -r executions edges corpus < <(grep -E '^#[0-9]+.*cov: ' "$log" | tail -n 1 |
        sed -E 's|^#([0-9]+).*cov: ([0-9]+).*corp: ([0-9]+)/.*|\1 \2 \3|')
    printf '%-14s %8s %12s %8s %8s\n' "$target" "$seconds" "${executions:-0}" "${edges:-0}" "${corpus:-0}"
    if [ "$status" -ne 0 ]; then
        failed=$((failed + 1))
        echo "Error: $target: status $status; $log has the report, Trust/Findings the input" >&2
        grep -E "ERROR|SUMMARY|: .*(broken|Error)|Fatal" "$log" | head -n 5 >&2 || true
    fi
done
[ "$failed" -eq 0 ]
