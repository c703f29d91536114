#!/usr/bin/env bash
# Builds cetnet-serve and serves the models of a folder on 127.0.0.1; what is missing is installed first (Debian).
#     Scripts/serve.sh [--models DIR] [--port N] [any other option of cetnet-serve]
set -euo pipefail
source "$(dirname "$0")/lib/dependencies.sh"
server="$(cd "$(dirname "$0")/../Server" && pwd)"
models="$server/../models"
options=()
while [ $# -gt 0 ]; do
    case "$1" in
        --models) models="${2:?--models needs a folder}"; shift ;;
        --models=*) models="${1#--models=}" ;;
        *) options+=("$1") ;;
    esac
    shift
done

install_dependencies
swift build -c release --package-path "$server" --product cetnet-serve >&2
exec "$(swift build -c release --package-path "$server" --show-bin-path)/cetnet-serve" "$models" "${options[@]}"
