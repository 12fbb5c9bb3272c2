import NIOHTTP1

/// What the proxy serves, and to whom.
enum Route: Equatable, Sendable {
    case root
    case health
    case chatCompletions
    case models
    /// One model by its id, which may hold slashes and dots.
    case model(String)
    case testOCI

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
        case .chatCompletions: .key
        case .models, .model, .testOCI: .local
        }
    }

    var methods: [HTTPMethod] {
        switch self {
        case .chatCompletions: [.POST]
        case .root, .health, .models, .model, .testOCI: [.GET, .HEAD]
        }
    }

    /// The route of a request target, whatever base URL its sender made up: with and without `/v1`, with a doubled one,
    /// with doubled and trailing slashes, with any query.
    init?(target: String) {
        var segments = target.prefix { $0 != "?" && $0 != "#" }.split(separator: "/", omittingEmptySubsequences: true)
        while segments.first == "v1" { segments.removeFirst() }
        switch (segments.first, segments.count) {
        case (nil, _): self = .root
        case ("health", 1): self = .health
        case ("models", 1): self = .models
        case ("models", _):
            guard let id = segments.dropFirst().joined(separator: "/").removingPercentEncoding else { return nil }
            self = .model(id)
        case ("chat", 2) where segments[1] == "completions": self = .chatCompletions
        case ("test-oci", 1): self = .testOCI
        default: return nil
        }
    }

    /// What `GET /` tells about the endpoints.
    static let endpoints = [
        "GET /", "GET /health", "POST /v1/chat/completions", "GET /v1/models", "GET /v1/models/{id}", "GET /test-oci",
    ]
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
