// swift-tools-version: 6.2
import PackageDescription

// The layers, from the bottom up. Each target may import only those listed as its dependencies;
// README.md, "How the code is laid out", draws the same picture.
let package = Package(
    name: "cetnet",
    products: [
        .library(name: "CETNet", targets: ["CETNet"]),
        .library(name: "CETNetImaging", targets: ["CETNetImaging"]),
        .executable(name: "cetnet", targets: ["CETNetCommand"]),
        // For developers: preloaded, it lets `cetnet bench` count allocations.
        .library(name: "AllocationCounter", type: .dynamic, targets: ["AllocationCounter"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
    ],
    targets: [
        // System libraries and C kernels.
        // Without pkgConfig, which would link it: OpenBLAS is loaded when it is asked for.
        .systemLibrary(name: "COpenBLAS", providers: [.apt(["libopenblas-dev", "liblapacke-dev"])]),
        .systemLibrary(
            name: "CTurboJPEG", pkgConfig: "libturbojpeg",
            providers: [.apt(["libturbojpeg0-dev"])]),
        .systemLibrary(
            name: "CPNG", pkgConfig: "libpng",
            providers: [.apt(["libpng-dev"])]),
        .target(name: "CKernels"),
        .target(name: "CPNGReader", dependencies: ["CPNG"], linkerSettings: [.linkedLibrary("png")]),

        // Memory that may not be there, and files.
        .target(name: "CETNetMemory", path: "Sources/Memory"),
        .target(name: "CETNetCheckpoint", dependencies: ["CETNetMemory"], path: "Sources/Checkpoint"),

        // What a model is.
        .target(name: "CETNetGraph", path: "Sources/Graph"),
        .target(
            name: "CETNetNetworks", dependencies: ["CETNetGraph", "CETNetCheckpoint", "CETNetPreprocessing"],
            path: "Sources/Networks", resources: [.embedInCode("Variants/variants.json")]),

        // What other packages make of the same models.
        .target(
            name: "CETNetPublicCheckpoints",
            dependencies: ["CETNetCheckpoint", "CETNetGraph", "CETNetNetworks", "CETNetPreprocessing"],
            path: "Sources/PublicCheckpoints", exclude: ["Resources/README.md"],
            resources: [.embedInCode("Resources/imagenet-1k.txt"), .embedInCode("Resources/layouts.json")]),

        // How it is computed.
        .target(name: "CETNetKernels", dependencies: ["CKernels"], path: "Sources/Kernels"),
        .target(
            name: "CETNetEngine",
            dependencies: [
                "CETNetGraph", "CETNetCheckpoint", "CETNetKernels", "CETNetMemory", "CKernels", "COpenBLAS",
            ],
            path: "Sources/Engine"),

        // Images.
        .target(
            name: "CETNetPreprocessing", dependencies: ["CETNetKernels", "CETNetMemory", "CKernels"],
            path: "Sources/Preprocessing"),

        // Public products.
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
        .executableTarget(
            name: "CETNetCommand",
            dependencies: [
                "CETNet", "CETNetImaging", "CETNetCheckpoint", "CETNetGraph", "CETNetEngine", "CETNetKernels",
                "CETNetMemory", "CKernels",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/CommandLine"),

        // Tests.
        .testTarget(
            name: "CheckpointTests", dependencies: ["CETNetCheckpoint", "TestSupport"], resources: [.copy("Fixtures")]),
        .testTarget(name: "KernelTests", dependencies: ["CKernels", "CETNetKernels", "CETNetEngine", "TestSupport"]),
        .testTarget(
            name: "NetworkTests",
            dependencies: ["CETNetGraph", "CETNetNetworks", "CETNetPreprocessing", "CETNetCheckpoint", "TestSupport"],
            resources: [.copy("Fixtures")]),
        .testTarget(
            name: "PublicCheckpointTests",
            dependencies: [
                "CETNet", "CETNetPublicCheckpoints", "CETNetCheckpoint", "CETNetNetworks", "CETNetPreprocessing",
                "CETNetGraph", "TestSupport",
            ],
            resources: [.copy("Fixtures")]),
        .testTarget(
            name: "EngineTests",
            dependencies: [
                "CETNet", "CETNetEngine", "CETNetGraph", "CETNetNetworks", "CETNetKernels", "CETNetCheckpoint",
                "CKernels", "TestSupport",
            ],
            resources: [.copy("Fixtures")]),
        .testTarget(
            name: "PreprocessingTests",
            dependencies: ["CETNetPreprocessing", "CETNetCheckpoint", "CETNetKernels", "CKernels", "TestSupport"],
            resources: [.copy("Fixtures")]),
        .testTarget(
            name: "ImagingTests",
            dependencies: ["CETNetImaging", "CETNetPreprocessing", "CETNet", "CETNetCheckpoint", "TestSupport"],
            resources: [.copy("Fixtures")]),
        .target(name: "TestSupport", path: "Tests/Support"),
        // What Trust/ does with bytes that come from strangers, and the files that it found.
        .target(
            name: "FuzzTargets",
            dependencies: [
                "CETNet", "CETNetImaging", "CETNetCheckpoint", "CETNetNetworks", "CETNetMemory", "TestSupport",
            ],
            path: "Tests/FuzzTargets"),
        .testTarget(name: "FuzzTests", dependencies: ["FuzzTargets"]),
        .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
        .testTarget(
            name: "APITests", dependencies: ["CETNet", "CETNetImaging", "CETNetMemory", "TestSupport"],
            resources: [.copy("Fixtures")]),
        .testTarget(
            name: "CommandLineTests",
            dependencies: [
                "CETNetCommand", "CETNet", "CETNetCheckpoint", "CETNetEngine", "CETNetGraph", "CETNetKernels",
                "CETNetPublicCheckpoints", "AllocationCounter", "TestSupport",
            ]),
    ],
    swiftLanguageModes: [.v6]
)
