#!/usr/bin/env bash
# Builds the documentation of the libraries' API with the toolchain's DocC; warnings are errors.
#     Scripts/docs.sh [DIRECTORY]      # default: .build/documentation
set -euo pipefail
cd "$(dirname "$0")/.."
output="${1:-.build/documentation}"
graphs="$(mktemp -d)"
trap 'rm -rf "$graphs"' EXIT

swift build --target CETNetImaging
products="$(swift build --show-bin-path)"
# The types that `import CETNet` brings along from the layers below are documented as its own.
swift symbolgraph-extract -module-name CETNet -I "$products/Modules" -I "$products/CKernels.build" -I Sources/COpenBLAS \
    -output-dir "$graphs" -minimum-access-level public \
    -target "$(swift -print-target-info | sed -n 's/.*"unversionedTriple": "\(.*\)".*/\1/p' | head -n 1)" \
    -skip-synthesized-members \
    -experimental-allowed-reexported-modules=CETNetCheckpoint,CETNetEngine,CETNetGraph,CETNetKernels,CETNetNetworks,CETNetPreprocessing
docc convert Sources/CETNet/CETNet.docc --additional-symbol-graph-dir "$graphs" --output-path "$output" \
    --fallback-bundle-identifier cetnet --warnings-as-errors
echo "The documentation is in $output."
