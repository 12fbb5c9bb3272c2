// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that nobody who builds the proxy builds this (`scripts/fuzz --coverage` does). Sources/Proxy has links to the
// readers of strangers' bytes in the proxy's sources and to what writes them anew, to whole folders where it can be, and to little else: without TLS,
// sockets and signatures a build takes some minutes less. When one of them comes to need a further file, the compiler says so, and that file gets a link, too.

/// libFuzzer's coverage and the address sanitizer, for the proxy's own code alone. Optimized, as inputs by the hundred thousand go through it,
/// but with every assertion.
let instrumentation = ["-sanitize=fuzzer,address", "-O", "-assert-config", "Debug"]
/// Without coverage for what asks whether promises are kept: new ways through it say nothing of the proxy, and take half of the time.
let instrumentationOfTargets = ["-sanitize=address", "-O", "-assert-config", "Debug"]

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// Of what is fuzzed.
let fuzzed = settings + [.enableUpcomingFeature("InternalImportsByDefault"), .unsafeFlags(instrumentation)]

let libraries: [Target.Dependency] = [
    .product(name: "Logging", package: "swift-log"),
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
]

let package = Package(
    name: "fuzzing",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    ],
    targets: [
        .target(
            name: "ProxyRouting",
            swiftSettings: fuzzed
        ),
        .target(
            name: "ProxyAccounting",
            swiftSettings: fuzzed
        ),
        .target(
            name: "ProxyTelemetry",
            swiftSettings: fuzzed
        ),
        .target(
            name: "ProxyCluster",
            swiftSettings: fuzzed
        ),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(
            name: "Proxy",
            dependencies: ["COpenSSL", "ProxyAccounting", "ProxyCluster", "ProxyRouting", "ProxyTelemetry"] + libraries,
            // It reads nothing, and knows of accounts.
            exclude: ["Configuration/Reader/CheckReport.swift", "Configuration/Reader/CheckReport+Prices.swift"],
            swiftSettings: fuzzed
        ),
        // The declaration of what the toolchain's library has.
        .target(name: "LibFuzzer"),
        .executableTarget(
            name: "Fuzz",
            dependencies: ["LibFuzzer", "Proxy", "ProxyRouting"] + libraries,
            swiftSettings: settings + [.unsafeFlags(instrumentationOfTargets)],
            // The linker that comes with the toolchain: others warn of the sanitizer's symbols.
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])]
        ),
    ]
)
