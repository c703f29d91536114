// swift-tools-version: 6.1
import PackageDescription

// Micro-benchmarks of the kernels. A package of its own, so that users of CETNet never resolve what it depends on.
//
// What is measured is not for users, so no product of CETNet offers it. The directories in Sources are links to those
// of the package around this one: the same code, compiled with the same settings, is within reach here without being
// in anybody else's.
let package = Package(
    name: "cetnet-benchmarks",
    dependencies: [
        // Without traits it does not need jemalloc; `cetnet bench` counts allocations.
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: [])
    ],
    targets: [
        .systemLibrary(
            name: "COpenBLAS", pkgConfig: "openblas",
            providers: [.apt(["libopenblas-dev", "liblapacke-dev"])]),
        .target(name: "CKernels"),
        .target(name: "CETNetOperators", dependencies: ["CKernels", "COpenBLAS"], path: "Sources/Operators"),
        .target(name: "CETNetPreprocessing", dependencies: ["CKernels"], path: "Sources/Preprocessing"),
        .target(name: "CETNetCheckpoint", path: "Sources/Checkpoint"),
        .target(name: "CETNetGraph", path: "Sources/Graph"),
        .target(
            name: "CETNetNetworks", dependencies: ["CETNetGraph", "CETNetCheckpoint"], path: "Sources/Networks"),
        .executableTarget(
            name: "Kernels",
            dependencies: [
                "CETNetOperators", "CETNetPreprocessing", "CETNetGraph", "CETNetNetworks",
                .product(name: "Benchmark", package: "benchmark"),
            ],
            path: "Benchmarks/Kernels",
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
    ],
    swiftLanguageModes: [.v6]
)
