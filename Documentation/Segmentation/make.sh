#!/usr/bin/env bash
# Makes the picture of Documentation/Segmentation.md: a photograph that scikit-learn bundles, and random weights.
#     Documentation/Segmentation/make.sh china.jpg
set -euo pipefail
cd "$(dirname "$0")/../.."
photo="$(realpath "${1:?the photograph china.jpg, from sklearn/datasets/images}")"
model="$(mktemp -d)"
trap 'rm -rf "$model"' EXIT
.build/release/cetnet init swin-t-upernet --seed 2 --num-labels 12 --output "$model/random"
.build/release/cetnet segment --model "$model/random" --output "$model/out" --overlay "$photo"
cp "$model/out/china-overlay.png" Documentation/Segmentation/
