// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

/// Of the product: what the compiler cannot check is marked (docs/threat-model.md, "Memory safety").
let checkedMemory: [SwiftSetting] = [.strictMemorySafety()]

/// What the sources import.
let direct: [Package.Dependency] = [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
    // SQLite, for the ledger alone: without the trait it is not built.
    .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
    // YAML, for the import of other programs' configurations alone: without the trait it is not built.
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
]

/// What those bring along, as far as SwiftPM lets it be named here without a warning. All versions are in scripts/versions, which
/// `scripts/release` builds nothing without (docs/decisions/0022).
let indirect: [Package.Dependency] = [
    .package(url: "https://github.com/apple/swift-async-algorithms.git", exact: "1.1.4"),
    .package(url: "https://github.com/apple/swift-collections.git", exact: "1.6.0"),
    .package(url: "https://github.com/apple/swift-http-types.git", exact: "1.8.0"),
]

let package = Package(
    name: "ociai-proxy",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Proxy", targets: ["Proxy"]),
        // For the microbenchmarks, which are a package of their own.
        .library(name: "ProxyRouting", targets: ["ProxyRouting"]),
        .library(name: "ProxyTestSupport", targets: ["ProxyTestSupport"]),
        .executable(name: "ociai-proxy", targets: ["ociai-proxy"]),
        .executable(name: "oci-simulator", targets: ["oci-simulator"]),
        .executable(name: "routing-simulation", targets: ["routing-simulation"]),
        .executable(name: "cluster-simulation", targets: ["cluster-simulation"]),
    ],
    traits: [
        .trait(name: "Ledger", description: "Requests, keys and budgets are kept in SQLite."),
        .trait(name: "Cluster", description: "Several instances share limits in Redis or Valkey."),
        .trait(name: "Import", description: "Configurations of other programs are read (ociai-proxy import)."),
        .default(enabledTraits: ["Cluster", "Import", "Ledger"]),
    ],
    dependencies: direct + indirect,
    targets: [
        // The system's libcrypto, for RSA signatures.
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),

        // The system's hiredis: its reader and formatter of the Redis protocol, not its sockets.
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),

        // The machine that chooses an upstream: values without I/O, time passed in. It knows nothing of the proxy.
        .target(
            name: "ProxyRouting",
            swiftSettings: settings + checkedMemory
        ),
        // What keys may use, what it costs, and what is written down about it: values without I/O as well.
        .target(
            name: "ProxyAccounting",
            swiftSettings: settings + checkedMemory
        ),
        // Spans of requests, and their way to a collector: values, and one task that sends them.
        .target(name: "ProxyTelemetry", swiftSettings: settings + checkedMemory),
        // Several instances as one: leases, meters, news, and the engine's script and protocol, as values.
        .target(name: "ProxyCluster", swiftSettings: settings + checkedMemory),
        // The product: everything but the command line. As a library it has a small face: Sources/Proxy/App/Library.
        .target(
            name: "Proxy",
            dependencies: [
                "COpenSSL", "ProxyAccounting", "ProxyCluster", "ProxyRouting", "ProxyTelemetry",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPCompression", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            // The operator's page, which the plugin puts into the program.
            exclude: ["Operator/Dashboard"],
            swiftSettings: settings + checkedMemory,
            plugins: ["EmbedPage"]
        ),
        .plugin(name: "EmbedPage", capability: .buildTool(), dependencies: ["embed-files"]),
        .executableTarget(name: "embed-files", path: "Sources/EmbedFiles", swiftSettings: settings),
        // What outlives the process, in SQLite. Nobody but the program knows it.
        .target(
            name: "ProxyLedger",
            dependencies: [
                "ProxyAccounting", .product(name: "GRDB", package: "GRDB.swift"),
                // Rows are bound by SQLite's own calls.
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: settings + checkedMemory
        ),
        // Connections to the engine that instances share. Nobody but the program knows it.
        .target(
            name: "ProxyEngine",
            dependencies: [
                "CHiredis", "ProxyCluster",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: settings + checkedMemory
        ),
        // Configurations of other programs, as configurations of this one: values without I/O. Nobody but the program knows it.
        .target(
            name: "ProxyImport",
            dependencies: [.product(name: "Yams", package: "Yams")],
            swiftSettings: settings + checkedMemory
        ),
        // The program: the command line, and what concerns its process.
        .executableTarget(
            name: "ociai-proxy",
            dependencies: [
                "Proxy", "ProxyAccounting",
                .target(name: "ProxyEngine", condition: .when(traits: ["Cluster"])),
                .target(name: "ProxyImport", condition: .when(traits: ["Import"])),
                .target(name: "ProxyLedger", condition: .when(traits: ["Ledger"])),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "Sources/Main",
            swiftSettings: settings + checkedMemory
        ),
        // The proxy inside another program.
        .executableTarget(
            name: "embedded-proxy",
            dependencies: [
                "Proxy",
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Examples/EmbeddedProxy",
            swiftSettings: settings
        ),

        // Oracle's side, on loopback. It shares no source with `Proxy`, so that both cannot be wrong together.
        .target(
            name: "OCISimulator",
            dependencies: [
                "COpenSSL",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "oci-simulator",
            dependencies: [
                "OCISimulator",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/OCISimulatorCommand",
            swiftSettings: settings
        ),

        // Clocks, gates and doubles that both test targets share.
        .target(
            name: "ProxyTestSupport",
            dependencies: ["Proxy", "ProxyRouting"],
            swiftSettings: settings
        ),

        // The routing core against made-up accounts under virtual time: how strategies are judged.
        .target(
            name: "RoutingSimulation",
            dependencies: ["Proxy", "ProxyRouting", "ProxyTestSupport"],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "routing-simulation",
            dependencies: [
                "Proxy", "ProxyRouting", "RoutingSimulation",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/RoutingSimulationCommand",
            swiftSettings: settings
        ),

        // Leases with a made-up engine under virtual time, and everything that goes wrong.
        .target(name: "ClusterSimulation", dependencies: ["ProxyCluster"], swiftSettings: settings),
        .executableTarget(
            name: "cluster-simulation",
            dependencies: ["ClusterSimulation", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Sources/ClusterSimulationCommand",
            swiftSettings: settings
        ),

        // Recorded requests, responses and keys, once for all test targets.
        .target(
            name: "TestFixtures",
            path: "Tests/Fixtures",
            resources: [
                .copy("clients"), .copy("dialects"), .copy("import"), .copy("oci"), .copy("tls"), .copy("tools"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ProxyTests",
            dependencies: [
                "COpenSSL", "LedgerTestSupport", "Proxy", "ProxyAccounting", "ProxyCluster", "ProxyRouting",
                "ProxyTelemetry", "ProxyTestSupport", "RoutingSimulation", "TestFixtures",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        // What the ledger is given, as values that tests make up and compare.
        .target(
            name: "LedgerTestSupport", dependencies: ["ProxyAccounting"], path: "Tests/LedgerSupport",
            swiftSettings: settings),
        .testTarget(name: "TelemetryTests", dependencies: ["ProxyTelemetry"], swiftSettings: settings),
        .testTarget(
            name: "ClusterTests", dependencies: ["ClusterSimulation", "ProxyCluster", "ProxyEngine"],
            swiftSettings: settings),
        // The engine's side of the wire: played by hand on loopback, and by a real server where there is one.
        .testTarget(
            name: "EngineTests",
            dependencies: [
                "ProxyCluster", "ProxyEngine", "TestFixtures",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: settings),
        .testTarget(name: "AccountingTests", dependencies: ["ProxyAccounting"], swiftSettings: settings),
        .testTarget(name: "ImportTests", dependencies: ["ProxyImport", "TestFixtures"], swiftSettings: settings),
        .testTarget(
            name: "LedgerTests",
            dependencies: [
                "LedgerTestSupport", "ProxyAccounting", "ProxyLedger", .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "OCISimulatorTests",
            dependencies: [
                "COpenSSL", "OCISimulator", "TestFixtures",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "OCISimulator", "ProxyTestSupport", "TestFixtures", "embedded-proxy", "ociai-proxy", "oci-simulator",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
    ]
)
