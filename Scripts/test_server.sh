#!/usr/bin/env bash
# Builds the package Server and tests a running server from outside, with Triton's client and schemathesis from a virtual
# environment, Server/.venv, which it makes if need be.
set -euo pipefail
cd "$(dirname "$0")/.."
source Scripts/lib/dependencies.sh

install_dependencies
swift build -c release --package-path Server --product cetnet-serve >&2 </dev/null

if [ ! -x Server/.venv/bin/schemathesis ]; then
    python3 -m venv Server/.venv >/dev/null 2>&1 ||
        { install_packages python3 python3-venv && python3 -m venv Server/.venv; }
    Server/.venv/bin/pip install --quiet --requirement Server/Tests/python/requirements.txt >&2 </dev/null
fi
swift build -c release --product cetnet >&2
Server/.venv/bin/python Server/Tests/python/check_server.py \
    "$(swift build -c release --package-path Server --show-bin-path)/cetnet-serve" \
    "$(swift build -c release --show-bin-path)/cetnet" models </dev/null
