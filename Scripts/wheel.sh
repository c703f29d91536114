#!/usr/bin/env bash
# Builds the Python package with the library inside (Bindings/Python) and prints the wheel's path last. Whoever installs
# it needs Python with NumPy and a Linux of the age that the wheel's name says, and neither Swift nor image libraries.
#     Scripts/wheel.sh [DIRECTORY]      # default: .build/wheels
set -euo pipefail
cd "$(dirname "$0")/.."
source Scripts/lib/bindings.sh
output="${1:-.build/wheels}"
mkdir -p "$output"
output="$(cd "$output" && pwd)"

library="$(Scripts/build_library.sh)"
make_environment
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cp -R Bindings/Python/pyproject.toml Bindings/Python/README.md Bindings/Python/cetnet LICENSE "$work/"
rm -rf "$work"/cetnet/__pycache__
echo "${library##*.so.}" > "$work/VERSION"
cp "$library" "$work/cetnet/libcetnet.so"
cp "$(dirname "$library")"/libcetnet-*.so.* "$work/cetnet/"
"$python" -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir "$work/wheel" "$work" >&2
"$python" -m wheel tags --remove --platform-tag linux_x86_64 "$work"/wheel/*.whl >&2

# The oldest Linux that has all that the libraries link and every version of its symbols, by auditwheel's tables.
tag="$("$python" -m auditwheel show "$work"/wheel/*.whl | tr '\n' ' ' |
    sed -n 's/.*consistent with the following platform tag: *"\([^"]*\)".*/\1/p')"
case "$tag" in
    manylinux_*) ;;
    *) fail "the wheel is for ${tag:-no Linux that auditwheel knows}, not for every one of an age" ;;
esac
"$python" -m wheel tags --remove --platform-tag "$tag" "$work"/wheel/*.whl >&2
cp "$work"/wheel/*.whl "$output/"
wheel="$output/$(basename "$work"/wheel/*.whl)"
echo "$(stat --format=%s "$wheel") bytes, for $tag" >&2
echo "$wheel"
