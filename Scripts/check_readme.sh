#!/usr/bin/env bash
# Compiles and runs the README's Swift blocks, in order, as one program of a package that depends on this one: as
# top-level code and inside of an async function. What they print must be what the README says they print.
set -euo pipefail
cd "$(dirname "$0")/.."
root="$PWD"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

mkdir -p "$work/Sources/TopLevel" "$work/Sources/InFunction"
cat > "$work/Package.swift" <<EOF
// swift-tools-version: 6.2
import PackageDescription

let products: [Target.Dependency] = [
    .product(name: "CETNet", package: "cetnet"), .product(name: "CETNetImaging", package: "cetnet"),
]
let settings: [SwiftSetting] = [.enableUpcomingFeature("MemberImportVisibility"), .treatAllWarnings(as: .error)]
let package = Package(
    name: "Readme",
    dependencies: [.package(name: "cetnet", path: "$root")],
    targets: [
        .executableTarget(name: "TopLevel", dependencies: products, swiftSettings: settings),
        .executableTarget(name: "InFunction", dependencies: products, swiftSettings: settings),
    ])
EOF

# The blocks, and the indented lines after each.
awk -v code="$work/code.swift" -v output="$work/expected" '
    /^```swift$/ { inside = 1; next }
    /^```$/ && inside { inside = 0; after = 1; next }
    inside { print > code; next }
    after && /^    / { print substr($0, 5) > output; next }
    after && !/^$/ { after = 0 }
' README.md
[ -s "$work/code.swift" ] && [ -s "$work/expected" ] || {
    echo "Error: README.md has no Swift blocks with outputs" >&2
    exit 1
}

cp "$work/code.swift" "$work/Sources/TopLevel/main.swift"
{
    grep '^import ' "$work/code.swift"
    echo "func readme() async throws {"
    grep -v '^import ' "$work/code.swift"
    echo "}"
    echo "try await readme()"
} > "$work/Sources/InFunction/main.swift"

swift build --package-path "$work" -c release >&2
programs="$(swift build --package-path "$work" -c release --show-bin-path)"
for program in TopLevel InFunction; do
    "$programs/$program" > "$work/found"
    diff -u "$work/expected" "$work/found" || {
        echo "Error: the README's code prints something else than the README says ($program)" >&2
        exit 1
    }
done
echo "The README's Swift code compiles, at top level and in an async function, and prints what it says."
