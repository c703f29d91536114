#!/bin/sh
# Measures the studies that Documentation/Studies.md shows, on this machine, and writes their reports beside it.
# Usage: Scripts/studies.sh [STUDY…]      (default: layers units stages family backbones)
# Nothing else should run meanwhile; takes about a minute for each study.
set -eu
cd "$(dirname "$0")/.."
swift build -c release --product cetnet
[ $# -gt 0 ] || set -- layers units stages family backbones
for study in "$@"; do
    .build/release/cetnet compare --study "$study" --report "Documentation/Studies/$study"
    # Its text and plots are in report.md, which is what the documentation shows.
    rm "Documentation/Studies/$study/report.html"
done
