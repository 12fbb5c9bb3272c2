import NIOHTTP1

/// What the proxy serves, and to whom.
enum Route: Equatable, Sendable {
    case root
    case health
    case chatCompletions
    case embeddings
    case rerank
    case models
    /// One model by its id, which may hold slashes and dots.
    case model(String)
    case testOCI
    case statistics(StatisticsRoute.Page)
    case metrics
    case resetBreakers
    case refreshModels
    case reload

    /// Who may use a route (section 5 of the contract).
    enum Access: Equatable, Sendable {
        case anyone
        case key
        /// A key, or the operator on the machine itself.
        case local
    }

    var access: Access {
        switch self {
        case .root, .health: .anyone
        case .chatCompletions, .embeddings, .rerank, .refreshModels: .key
        case .models, .model, .testOCI, .statistics, .metrics, .resetBreakers, .reload: .local
        }
    }

    var methods: [HTTPMethod] {
        switch self {
        case .chatCompletions, .embeddings, .rerank, .resetBreakers, .refreshModels, .reload: [.POST]
        case .root, .health, .models, .model, .testOCI, .statistics, .metrics: [.GET, .HEAD]
        }
    }

    /// The route of a request target, whatever base URL its sender made up: with and without `/v1`, with a doubled one,
    /// with doubled and trailing slashes, with any query.
    ///
    /// Nil also for one that is longer than `longestTarget`. All of it goes by bytes, and once over them.
    init?(target: String) {
        // As nearly all of them write it.
        if target == "/v1/chat/completions" {
            self = .chatCompletions
            return
        }
        guard target.utf8.count <= Self.longestTarget else { return nil }
        let path = Self.path(of: target.utf8[...]).prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        let parts = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: true).map { Substring($0) }
        let segments = parts[(parts.firstIndex { $0 != "v1" } ?? parts.endIndex)...]
        /// The segment behind the first.
        var second: Substring { segments[segments.startIndex + 1] }
        switch (segments.first, segments.count) {
        case (nil, _): self = .root
        case ("health", 1): self = .health
        case ("models", 1): self = .models
        case ("models", _):
            guard let id = segments.dropFirst().joined(separator: "/").removingPercentEncoding else { return nil }
            self = .model(id)
        case ("chat", 2) where second == "completions": self = .chatCompletions
        case ("embeddings", 1): self = .embeddings
        case ("rerank", 1): self = .rerank
        case ("test-oci", 1): self = .testOCI
        case ("stats", 2):
            guard let page = StatisticsRoute.Page(rawValue: String(second)) else { return nil }
            self = .statistics(page)
        case ("metrics", 1): self = .metrics
        case ("admin", 3) where second == "circuit-breaker" && segments.last == "reset": self = .resetBreakers
        case ("admin", 3) where second == "models" && segments.last == "refresh": self = .refreshModels
        case ("reload", 1): self = .reload
        default: return nil
        }
    }

    /// The target without scheme and host: clients of a forward proxy send the whole URL, and a server has to take it
    /// (RFC 9112, 3.2.2).
    private static func path(of target: Substring.UTF8View) -> Substring.UTF8View {
        for scheme in ["http://", "https://"] where target.prefix(scheme.utf8.count).lazy.map({ $0 | 0x20 }).elementsEqual(scheme.utf8) {
            return target.dropFirst(scheme.utf8.count).drop { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        }
        return target
    }

    /// Bytes that a target may have. The longest that means something names one model; a query of a few words is left over.
    static let longestTarget = 8 * 1024

    /// A target up to its query.
    static func withoutQuery(_ target: String) -> String {
        guard let query = ByteSearch.offset(of: UInt8(ascii: "?"), in: target) else { return target }
        return String(target[..<target.utf8.index(target.startIndex, offsetBy: query)])
    }

    /// What `GET /` tells about the endpoints.
    static let endpoints = [
        "GET /", "GET /health", "POST /v1/chat/completions", "POST /v1/embeddings", "POST /v1/rerank", "GET /v1/models", "GET /v1/models/{id}", "GET /test-oci",
        "GET /stats/accounts", "GET /stats/concurrency", "GET /stats/circuit-breaker", "GET /stats/queue", "GET /metrics",
        "POST /admin/circuit-breaker/reset", "POST /admin/models/refresh", "POST /v1/reload",
    ]

    /// A name for metrics: few, and none of them made up by a client.
    var label: String {
        switch self {
        case .root: "root"
        case .health: "health"
        case .chatCompletions: "chat"
        case .embeddings: "embeddings"
        case .rerank: "rerank"
        case .models, .model: "models"
        case .testOCI: "test-oci"
        case .statistics: "stats"
        case .metrics: "metrics"
        case .resetBreakers, .refreshModels, .reload: "admin"
        }
    }

    /// The value of a query parameter, decoded; nil when it is not there or broken.
    static func query(_ name: String, of target: String) -> String? { query(of: target).first { $0.name == name }?.value }

    /// The query's parameters in their order, the values decoded; nil for one that is broken.
    static func query(of target: String) -> [(name: String, value: String?)] {
        guard let start = target.utf8.firstIndex(of: UInt8(ascii: "?")) else { return [] }
        let query = target.utf8[target.utf8.index(after: start)...].prefix { $0 != UInt8(ascii: "#") }
        return query.split(separator: UInt8(ascii: "&")).map { pair in
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false).map { String(Substring($0)) }
            return (parts[0], parts.count == 2 ? parts[1].removingPercentEncoding : "")
        }
    }
}

extension String {
    /// The text with its `%XX` undone; nil when an escape is broken or the bytes are not UTF-8.
    var removingPercentEncoding: String? {
        guard utf8.contains(UInt8(ascii: "%")) else { return self }
        var bytes: [UInt8] = []
        var rest = self[...].utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst()?.hexDigitValue, let low = rest.popFirst()?.hexDigitValue else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
