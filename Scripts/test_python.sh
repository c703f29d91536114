#!/usr/bin/env bash
# Runs the tests of Tools/python and of Benchmarks/peers in a virtual environment, .venv, which it makes if need be.
set -euo pipefail
cd "$(dirname "$0")/.."
source Scripts/lib/dependencies.sh

if [ ! -x .venv/bin/pytest ]; then
    # Debian keeps venv in a package of its own.
    python3 -m venv .venv >/dev/null 2>&1 || { install_packages python3 python3-venv && python3 -m venv .venv; }
    .venv/bin/pip install --quiet --requirement Tools/python/requirements.txt >&2 </dev/null
fi
.venv/bin/python -m pytest --quiet Tools/python/tests Benchmarks/peers "$@" </dev/null
