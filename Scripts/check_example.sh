#!/usr/bin/env bash
# Builds Examples/ClassifyImage outside this checkout, with this package as a versioned dependency, and classifies a
# shipped image with it. SwiftPM allows less to a versioned dependency than to one by path: for instance no unsafe flags.
set -euo pipefail
cd "$(dirname "$0")/.."
root="$PWD"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# A repository with the files as they are now, committed or not, and one version.
mkdir "$work/cetnet"
git ls-files --cached --others --exclude-standard -z |
    while IFS= read -r -d '' file; do
        [ ! -e "$file" ] || printf '%s\0' "$file"
    done |
    tar --create --null --files-from=- | tar --extract --directory "$work/cetnet"
git -C "$work/cetnet" init --quiet
git -C "$work/cetnet" add --all
git -C "$work/cetnet" -c user.name=check -c user.email=check@localhost commit --quiet --message "Check"
git -C "$work/cetnet" tag 0.0.1

# The example with the dependency that its manifest has in a comment.
cp -R Examples/ClassifyImage "$work/ClassifyImage"
rm -rf "$work/ClassifyImage/.build"
manifest="$work/ClassifyImage/Package.swift"
sed -i "s|\.package(name: \"cetnet\", path: \"../..\")|.package(url: \"file://$work/cetnet\", from: \"0.0.1\")|" "$manifest"
grep -q "file://$work/cetnet" "$manifest" || {
    echo "Error: $manifest does not have the expected dependency" >&2
    exit 1
}

cd "$work/ClassifyImage"
options=(--cache-path "$work/cache" --security-path "$work/security")
swift build -c release "${options[@]}" >&2
program="$(swift build -c release "${options[@]}" --show-bin-path)/ClassifyImage"
image="$(find "$root/models/digits/images" -name 'digit-7-*.png' | sort | head -n 1)"
output="$("$program" "$root/models/digits" "$image")"
echo "$output"
case "$output" in
    7\ *) echo "The example works as a versioned dependency." ;;
    *)
        echo "Error: expected the digit 7 first for $image" >&2
        exit 1
        ;;
esac
