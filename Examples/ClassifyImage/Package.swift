// swift-tools-version: 6.2
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
            ],
            // The strictest way to import: what the API's types have must come with `import CETNet`.
            swiftSettings: [.enableUpcomingFeature("MemberImportVisibility")])
    ],
    swiftLanguageModes: [.v6]
)
