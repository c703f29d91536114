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
        // Without traits it does not need jemalloc; the library AllocationCounter counts allocations.
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: [])
    ],
    targets: [
        // Without pkgConfig, which would link it: OpenBLAS is loaded when it is asked for.
        .systemLibrary(name: "COpenBLAS", providers: [.apt(["libopenblas-dev", "liblapacke-dev"])]),
        .target(name: "CKernels"),
        .target(name: "CETNetMemory", path: "Sources/Memory"),
        .target(name: "CETNetKernels", dependencies: ["CKernels"], path: "Sources/Kernels"),
        .target(name: "CETNetCheckpoint", dependencies: ["CETNetMemory"], path: "Sources/Checkpoint"),
        .target(name: "CETNetGraph", path: "Sources/Graph"),
        .target(
            name: "CETNetPreprocessing", dependencies: ["CETNetKernels", "CETNetMemory", "CKernels"],
            path: "Sources/Preprocessing"),
        .target(
            name: "CETNetNetworks", dependencies: ["CETNetGraph", "CETNetCheckpoint", "CETNetPreprocessing"],
            path: "Sources/Networks", resources: [.embedInCode("Variants/variants.json")]),
        .target(
            name: "CETNetEngine",
            dependencies: [
                "CETNetGraph", "CETNetCheckpoint", "CETNetKernels", "CETNetMemory", "CKernels", "COpenBLAS",
            ],
            path: "Sources/Engine"),
        .executableTarget(
            name: "Kernels",
            dependencies: [
                "CETNetEngine", "CETNetKernels", "CETNetPreprocessing", "CETNetGraph", "CETNetNetworks", "CKernels",
                .product(name: "Benchmark", package: "benchmark"),
            ],
            path: "Benchmarks/Kernels",
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
    ],
    swiftLanguageModes: [.v6]
)
