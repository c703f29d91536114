#!/usr/bin/env bash
# Builds and tests everything: the test targets, then the example package as a user would build it and the README's
# code. Installs what is missing first (Debian). Release, because in debug the C kernels are not optimised and the tests
# take far longer.
set -euo pipefail
cd "$(dirname "$0")/.."
source Scripts/lib/dependencies.sh

install_dependencies

log="$(mktemp)"
trap 'rm -f "$log"' EXIT
passed=0
failed=0

if swift test -c release 2>&1 </dev/null | tee "$log"; then
    tests_succeeded=true
else
    tests_succeeded=false
fi
# Swift Testing's own lines, "✔ Test name() passed after …" and "✘ Test name() failed after …", but for the last,
# "✔ Test run with … passed after …".
count() { grep -E "^[^ ]+ +Test .* $1 after " "$log" | grep -cv "Test run with" || true; }
passed=$(count passed)
failed=$(count failed)
if ! $tests_succeeded && [ "$failed" -eq 0 ]; then
    # The build failed, or the tests did not come to an end.
    failed=1
fi

if $tests_succeeded; then
    for check in Scripts/check_example.sh Scripts/check_readme.sh; do
        if "$check" </dev/null; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
        fi
    done
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 1 ]
