import NIOHTTP1

/// The keys that clients may use. A key's name is what logs and statistics show; the key itself never appears.
struct ClientKeys: Sendable {
    enum Verdict: Equatable, Sendable {
        case none
        case wrong
        case holder(String)
    }

    private let keys: [(name: String, bytes: [UInt8])]

    init(_ keys: [ClientKey]) {
        self.keys = keys.map { ($0.name, Array($0.value.reveal().utf8)) }
    }

    /// Whose key the request carries: as `Authorization: Bearer KEY`, `x-api-key` or `api-key`, in this order.
    func verdict(on headers: HTTPHeaders) -> Verdict {
        let offered = Self.offered(in: headers)
        guard !offered.isEmpty else { return .none }
        for candidate in offered {
            if let name = holder(of: Array(candidate.utf8)) { return .holder(name) }
        }
        return .wrong
    }

    private static func offered(in headers: HTTPHeaders) -> [Substring] {
        var offered: [Substring] = []
        if let authorization = headers.first(name: "authorization") {
            let words = authorization.utf8.split(separator: UInt8(ascii: " "), maxSplits: 1)
            if words.count == 2, words[0].count == 6, Substring(words[0]).lowercased() == "bearer" { offered.append(Substring(words[1])) }
        }
        for name in ["x-api-key", "api-key"] {
            if let value = headers.first(name: name) { offered.append(value[...]) }
        }
        return offered.map { $0.trimmingBlanks() }.filter { !$0.isEmpty }
    }

    /// Compares with every key, to the last byte, so that the time tells nothing about how much of a guess was right.
    private func holder(of candidate: [UInt8]) -> String? {
        var name: String?
        for key in keys where Self.areEqual(key.bytes, candidate) { name = name ?? key.name }
        return name
    }

    /// Takes the same time wherever the two differ; that they differ in length is no secret.
    private static func areEqual(_ key: [UInt8], _ candidate: [UInt8]) -> Bool {
        guard key.count == candidate.count else { return false }
        var difference: UInt8 = 0
        for index in key.indices { difference |= key[index] ^ candidate[index] }
        return difference == 0
    }
}

extension Substring {
    /// Without the blanks and tabs at both ends.
    func trimmingBlanks() -> Substring {
        var text = utf8
        while let first = text.first, first == UInt8(ascii: " ") || first == UInt8(ascii: "\t") { text.removeFirst() }
        while let last = text.last, last == UInt8(ascii: " ") || last == UInt8(ascii: "\t") { text.removeLast() }
        return Substring(text)
    }
}
