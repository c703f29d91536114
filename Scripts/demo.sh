#!/usr/bin/env bash
# Builds cetnet and classifies the shipped images of handwritten digits. Installs what is missing first (Debian).
set -euo pipefail
cd "$(dirname "$0")/.."
source Scripts/lib/dependencies.sh

install_dependencies
swift build -c release --product cetnet >&2
cetnet="$(swift build -c release --show-bin-path)/cetnet"

echo
echo "\$ cetnet classify --model models/digits --top 3 models/digits/images"
"$cetnet" classify --model models/digits --top 3 models/digits/images

# The name of each image has the digit that it shows.
echo
"$cetnet" classify --model models/digits --top 1 --json models/digits/images |
    sed -E 's|.*/digit-([0-9])-[^/"]*\.png".*"label": "([^"]*)".*|\1 \2|' |
    awk '
        $1 == $2 { right++ }
        END {
            printf "%d of %d images classified correctly\n", right, NR
            exit !(NR > 0 && right == NR)
        }'
