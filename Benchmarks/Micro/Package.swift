// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that nobody who builds the proxy builds this, and so that the proxy can be compiled with its internals in
// reach (`-enable-testing`, see scripts/microbench) without that being true of the release. The targets beside the benchmarks' own are links to the
// proxy's, of which `Proxy` leaves out what opens sockets, speaks TLS and puts the program together: without these a build takes three fifths of the time.

/// As in the proxy's own package.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// What needs what is left out. A source that comes to need it is named by the compiler, and belongs here, too.
let withSockets = [
    "App", "Gateway", "Operator/Dashboard", "Operator/Window",
    "Operator/AdminRoute.swift", "Operator/ConfigurationIdentity.swift", "Operator/HealthRoute.swift",
    "Operator/KeysRoute.swift", "Operator/LedgerRoute+Repricing.swift", "Operator/LedgerRoute+Requests.swift",
    "Operator/LedgerRoute.swift", "Operator/MetricsRoute.swift", "Operator/OpenAPIDocument.swift",
    "Operator/ReloadRoute.swift", "Operator/RequestContext+Stream.swift", "Operator/RootRoute.swift",
    "Operator/TestOCIRoute.swift", "Operator/UsageRoute.swift", "Operator/WhyRoute.swift",
    "Chat/Session/ForwardRoute.swift", "Chat/Session/MessagesRoute.swift", "Chat/Session/ResponsesRoute.swift",
    "HTTP/Client/ConnectionAttempt.swift", "HTTP/Client/Connector.swift", "HTTP/Client/LoopClient.swift",
    "HTTP/Client/NIOTransport.swift", "HTTP/Client/TransportCache.swift",
    "HTTP/Client/TransportError+Translation.swift",
    "HTTP/Client/UpstreamConnection.swift", "HTTP/Server/ClientChannel.swift", "HTTP/Server/ConnectionHandler.swift",
    "HTTP/Server/Listener.swift", "HTTP/Server/ListeningAddress.swift", "HTTP/Server/OwnUnixSocket.swift",
    "HTTP/Server/TLS",
]

let package = Package(
    name: "microbenchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    ],
    targets: [
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(name: "ProxyRouting", swiftSettings: settings),
        .target(name: "ProxyAccounting", swiftSettings: settings),
        .target(name: "ProxyTelemetry", swiftSettings: settings),
        .target(name: "ProxyCluster", swiftSettings: settings),
        .target(
            name: "Proxy",
            dependencies: [
                "COpenSSL", "ProxyAccounting", "ProxyCluster", "ProxyRouting", "ProxyTelemetry",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            exclude: withSockets,
            swiftSettings: settings
        ),
        .target(name: "ProxyTestSupport", dependencies: ["Proxy", "ProxyRouting"], swiftSettings: settings),
        .target(name: "AllocationCount"),
        .executableTarget(
            name: "microbenchmarks",
            dependencies: [
                "AllocationCount", "Proxy", "ProxyRouting", "ProxyTestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
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
