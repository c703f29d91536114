#!/usr/bin/env bash
# Formats the Swift code as .swift-format says.
#     Scripts/format.sh            # formats
#     Scripts/format.sh --check    # says what is not formatted, with status 1
set -euo pipefail
cd "$(dirname "$0")/.."
files() { git ls-files --cached --others --exclude-standard -z '*.swift'; }
if [ "${1:-}" = --check ]; then
    files | xargs -0 swift format lint --strict
    echo "All Swift code is formatted."
else
    files | xargs -0 swift format --in-place
fi
