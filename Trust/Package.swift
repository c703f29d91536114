// swift-tools-version: 6.2
import PackageDescription

// What tries to break the package around this one: fuzzing, mutated files, many callers for hours. A package of its
// own, as it is built with sanitizers and is nobody's dependency. The directories in Sources are links to those of the
// package around it, as in Benchmarks.
let package = Package(
    name: "cetnet-trust",
    targets: [
        .systemLibrary(name: "COpenBLAS", providers: [.apt(["libopenblas-dev", "liblapacke-dev"])]),
        .systemLibrary(name: "CTurboJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        .target(name: "CKernels"),
        .target(name: "CPNGReader", dependencies: ["CPNG"], linkerSettings: [.linkedLibrary("png")]),
        .target(name: "CETNetMemory", path: "Sources/Memory"),
        .target(name: "CETNetCheckpoint", dependencies: ["CETNetMemory"], path: "Sources/Checkpoint"),
        .target(name: "CETNetGraph", path: "Sources/Graph"),
        .target(
            name: "CETNetNetworks", dependencies: ["CETNetGraph", "CETNetCheckpoint", "CETNetPreprocessing"],
            path: "Sources/Networks", resources: [.embedInCode("Variants/variants.json")]),
        .target(
            name: "CETNetPublicCheckpoints",
            dependencies: ["CETNetCheckpoint", "CETNetGraph", "CETNetNetworks", "CETNetPreprocessing"],
            path: "Sources/PublicCheckpoints", exclude: ["Resources/README.md"],
            resources: [.embedInCode("Resources/imagenet-1k.txt"), .embedInCode("Resources/layouts.json")]),
        .target(name: "CETNetKernels", dependencies: ["CKernels"], path: "Sources/Kernels"),
        .target(
            name: "CETNetEngine",
            dependencies: [
                "CETNetGraph", "CETNetCheckpoint", "CETNetKernels", "CETNetMemory", "CKernels", "COpenBLAS",
            ],
            path: "Sources/Engine"),
        .target(
            name: "CETNetPreprocessing", dependencies: ["CETNetKernels", "CETNetMemory", "CKernels"],
            path: "Sources/Preprocessing"),
        .target(
            name: "CETNet",
            dependencies: [
                "CETNetCheckpoint", "CETNetGraph", "CETNetNetworks", "CETNetKernels", "CETNetEngine",
                "CETNetPreprocessing", "CETNetPublicCheckpoints", "CETNetMemory",
            ],
            path: "Sources/CETNet"),
        .target(
            name: "CETNetImaging",
            dependencies: [
                "CETNet", "CETNetPreprocessing", "CETNetMemory", "CTurboJPEG", "CPNG", "CPNGReader",
            ],
            path: "Sources/Imaging"),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "CETNet", "CETNetImaging", "CETNetCheckpoint", "CETNetNetworks", "CETNetMemory", "TestSupport",
            ],
            path: "Sources/FuzzTargets"),
        .target(name: "TestSupport", path: "Sources/TestSupport"),
        // One program for all targets of the fuzzer; the environment says which.
        .executableTarget(name: "Fuzz", dependencies: ["FuzzTargets"]),
        .executableTarget(
            name: "Trust",
            dependencies: [
                "CETNet", "CETNetImaging", "CETNetCheckpoint", "CETNetNetworks", "CETNetEngine", "CETNetKernels",
                "FuzzTargets", "TestSupport",
            ]),
    ],
    swiftLanguageModes: [.v6]
)
