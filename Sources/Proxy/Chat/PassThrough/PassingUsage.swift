import ProxyRouting

/// Finds the usage in an answer of which nothing else is read: the member `usage` of a document, or of the last event of a stream that has one.
///
/// Pictures and sound pass through it in pieces, some megabytes in one string, and it keeps nothing but the usage.
struct PassingUsage {
    /// As far as it has been told.
    private(set) var usage: TokenUsage?

    /// Bytes of a usage, at most.
    private static let longest = 16 << 10
    private static let wanted = Array("usage".utf8)
    private static let data = Array("data:".utf8)

    private let isStream: Bool

    // Of a stream's lines.

    /// How much of `data:` its line has begun with; nil for another line.
    private var matched: Int? = 0
    private var lineIsEmpty = true

    // Of the document that is passing.

    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    /// In the outermost object, where a key comes next.
    private var awaitsKey = false
    /// The key that is passing, as far as it may be the one that is looked for.
    private var key: [UInt8]?
    /// Its value comes next.
    private var isWanted = false
    /// What is kept of it.
    private var kept: [UInt8]?

    /// - Parameter contentType: of the answer.
    /// - Returns: nil for one that has no place for a usage.
    init?(contentType: String?) {
        let type = contentType?.prefix { $0 != ";" }.lowercased() ?? ""
        isStream = type.contains("event-stream")
        guard isStream || type.contains("json") else { return nil }
    }

    /// Takes a piece of the answer.
    mutating func take(_ piece: Span<UInt8>) {
        var place = 0
        while let byte = piece.byte(at: place) {
            place += 1
            guard !isStream || isOfData(byte) else { continue }
            take(byte)
            guard isInString, kept == nil, key == nil, !isEscaped else { continue }
            // Nearly all there is.
            while let next = piece.byte(at: place), next != UInt8(ascii: "\""), next != UInt8(ascii: "\\"),
                next != UInt8(ascii: "\n")
            {
                place += 1
            }
        }
    }

    /// Whether a byte of a stream belongs to the document of its event.
    private mutating func isOfData(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\r"): return false
        case UInt8(ascii: "\n"):
            if lineIsEmpty { begin() }
            (lineIsEmpty, matched) = (true, 0)
            return false
        default: break
        }
        lineIsEmpty = false
        guard let matched else { return false }
        guard matched < Self.data.count else { return true }
        self.matched = byte == Self.data[matched] ? matched + 1 : nil
        return false
    }

    /// Another event.
    private mutating func begin() {
        (depth, isInString, isEscaped, awaitsKey, key, isWanted, kept) = (0, false, false, false, nil, false, nil)
    }

    private mutating func take(_ byte: UInt8) {
        keep(byte)
        if isInString { return takeText(byte) }
        switch byte {
        case UInt8(ascii: "\""):
            isInString = true
            if depth == 1, awaitsKey { key = [] }
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            depth += 1
            if depth == 1 { awaitsKey = byte == UInt8(ascii: "{") }
            if depth == 2, isWanted, byte == UInt8(ascii: "{") { kept = [byte] }
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            depth -= 1
            if depth == 1 { read() }
        case UInt8(ascii: ":"): if depth == 1 { awaitsKey = false }
        case UInt8(ascii: ","): if depth == 1 { (awaitsKey, isWanted) = (true, false) }
        default: break
        }
    }

    private mutating func takeText(_ byte: UInt8) {
        if isEscaped {
            isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
            isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
            isInString = false
            if let key = key.take() { isWanted = key == Self.wanted }
            return
        }
        if let known = key?.count, known <= Self.wanted.count { key?.append(byte) }
    }

    private mutating func keep(_ byte: UInt8) {
        guard let count = kept?.count else { return }
        if count < Self.longest { kept?.append(byte) } else { (kept, isWanted) = (nil, false) }
    }

    private mutating func read() {
        guard let bytes = kept.take(), let value = try? JSONDocument(parsing: bytes).root else { return }
        usage = TokenUsage(responses: value) ?? TokenUsage(openAI: value) ?? usage
    }
}
