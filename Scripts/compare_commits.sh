#!/usr/bin/env bash
# Builds two commits and compares what they compute, bit by bit: logits and features of every model fixture and of some
# variants with random weights, on every instruction-set tier of this machine and with both backends.
# Usage: Scripts/compare_commits.sh OLD [NEW]      (NEW by default: the files as they are now)
set -euo pipefail
cd "$(dirname "$0")/.."
case "${1:-}" in
    "" | -h | --help) sed -n '2,4s/^# //p' "$0"; exit $([ -n "${1:-}" ] && echo 0 || echo 2) ;;
esac
root="$PWD"
work="$(mktemp -d)"
trap 'git worktree prune; rm -rf "$work"' EXIT

# A program that prints a digest for everything that a commit computes. It uses only what both have.
make_program() { # checkout, folder
    mkdir -p "$2/Sources/Digests"
    cat > "$2/Package.swift" <<-SWIFT
	// swift-tools-version: 6.1
	import PackageDescription
	let package = Package(
	    name: "digests",
	    dependencies: [.package(name: "cetnet", path: "$1")],
	    targets: [
	        .executableTarget(name: "Digests", dependencies: [.product(name: "CETNet", package: "cetnet")])
	    ])
	SWIFT
    cat > "$2/Sources/Digests/main.swift" <<-'SWIFT'
	import CETNet
	import Foundation

	func digest(_ values: [Float]) -> String {
	    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
	    for value in values { hash = (hash ^ UInt64(value.bitPattern)) &* 0x100_0000_01B3 }
	    return String(hash, radix: 16)
	}

	func show(_ name: String, _ options: Model.Options, _ make: (Model.Options) throws -> Model) throws {
	    let model = try make(options)
	    for (height, width, batch) in [(64, 64, 1), (71, 90, 3), (33, 47, 2), (224, 224, 1)] {
	        var images = Tensor(zeros: [batch, 3, height, width])
	        images.withUnsafeMutableValues { values in
	            for index in values.indices { values[index] = Float((index &* 7919) % 1009) / 300 - 1.6 }
	        }
	        let (logits, features) = try model.logitsAndFeatures(images)
	        let digests = ([logits] + features).map { digest($0.values) }.joined(separator: " ")
	        print(name, model.kernelTier, options.backend.rawValue, "\(batch)x\(height)x\(width)", digests)
	    }
	}

	for backend in Backend.allCases {
	    let options = Model.Options(backend: backend, threads: 2)
	    let fixtures = URL(fileURLWithPath: CommandLine.arguments[1])
	    for file in try FileManager.default.contentsOfDirectory(atPath: fixtures.path).sorted()
	    where file.hasPrefix("tiny") && file.hasSuffix(".safetensors") && !file.hasSuffix("_outputs.safetensors") {
	        try show(file, options) { try Model(contentsOf: fixtures.appendingPathComponent(file), options: $0) }
	    }
	    for variant in ["cetnet-t", "swin-t", "cvt-13", "ce-pvt-s", "cswin-t"] {
	        try show(variant, options) { try Model(variant: variant, randomSeed: 7, options: $0) }
	    }
	}
	SWIFT
}

digests() { # name, commit or nothing
    local checkout="$root"
    if [ -n "$2" ]; then
        checkout="$work/$1-checkout/cetnet"
        git worktree add --quiet --detach "$checkout" "$2"
    fi
    make_program "$checkout" "$work/$1"
    echo "Building ${2:-the files as they are}" >&2
    swift build -c release --package-path "$work/$1" >&2
    local program
    program="$(swift build -c release --package-path "$work/$1" --show-bin-path)/Digests"
    local tier
    for tier in avx512 avx2 portable; do
        # A tier that the machine lacks is refused at once.
        CETNET_KERNELS=$tier "$program" "$root/Tests/EngineTests/Fixtures" >> "$work/$1.txt" ||
            echo "Without $tier: this machine lacks it" >&2
    done
}

digests old "$1"
digests new "${2:-}"
count="$(wc -l < "$work/old.txt")"
if [ "$count" -gt 0 ] && diff "$work/old.txt" "$work/new.txt"; then
    echo "$count runs: logits and features are the same, bit for bit"
else
    echo "Error: the commits compute different bits" >&2
    exit 1
fi
