// swift-tools-version: 6.1
import PackageDescription

// Outside this repository the dependency is a version of it:
//     .package(url: "https://…/cetnet.git", from: "0.1.0")
let package = Package(
    name: "ClassifyImage",
    dependencies: [
        .package(name: "cetnet", path: "../..")
    ],
    targets: [
        .executableTarget(
            name: "ClassifyImage",
            dependencies: [
                .product(name: "CETNet", package: "cetnet"),
                .product(name: "CETNetImaging", package: "cetnet"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
