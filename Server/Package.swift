// swift-tools-version: 6.2
import PackageDescription

// The program `cetnet-serve`: models behind HTTP. A package of its own, so that users of the library never resolve what
// it depends on.
let package = Package(
    name: "cetnet-server",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "cetnet-serve", targets: ["cetnet-serve"])],
    dependencies: [
        .package(name: "cetnet", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.9.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.34.1"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.2"),
        // Without traits it reads no configuration of its own.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
    ],
    targets: [
        .target(
            name: "CETNetServer",
            dependencies: [
                .product(name: "CETNet", package: "cetnet"),
                .product(name: "CETNetImaging", package: "cetnet"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            path: "Sources/Server",
            resources: [.embedInCode("Resources/index.html"), .embedInCode("Resources/openapi.json")]),
        .executableTarget(
            name: "cetnet-serve",
            dependencies: [
                "CETNetServer",
                .product(name: "CETNet", package: "cetnet"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/Command"),
    ],
    swiftLanguageModes: [.v6]
)
