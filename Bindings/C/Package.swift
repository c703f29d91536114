// swift-tools-version: 6.3
import PackageDescription

let package = Package(
    name: "libcetnet",
    products: [.library(name: "CETNetLibrary", type: .dynamic, targets: ["LibCETNet"])],
    dependencies: [.package(name: "cetnet", path: "../..")],
    targets: [
        .systemLibrary(name: "CCETNet", path: "include"),
        .target(
            name: "LibCETNet",
            dependencies: [
                "CCETNet", .product(name: "CETNet", package: "cetnet"),
                .product(name: "CETNetImaging", package: "cetnet"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
