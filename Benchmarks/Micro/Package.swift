// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that nobody who builds the proxy builds this, and so that the proxy can be compiled with its internals in
// reach (`-enable-testing`, see scripts/microbench) without that being true of the release.
let package = Package(
    name: "microbenchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "ociai-proxy", path: "../.."),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    ],
    targets: [
        .target(name: "AllocationCount"),
        .executableTarget(
            name: "microbenchmarks",
            dependencies: [
                "AllocationCount",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "Proxy", package: "ociai-proxy"),
                .product(name: "ProxyRouting", package: "ociai-proxy"),
                .product(name: "ProxyTestSupport", package: "ociai-proxy"),
            ],
            path: "Sources/Microbenchmarks",
            swiftSettings: [
                .swiftLanguageMode(.v6),
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
                .treatAllWarnings(as: .error),
            ]
        ),
    ]
)
