/// Whether an upstream answers in the form that was asked for: a stream of events or one document.
enum ResponseForm {
    /// Whether what came in place of a document is a stream, or a document with a stream's lines around it.
    static func isStream(_ body: [UInt8]) -> Bool {
        let text = beginning(of: body)
        let fields = ["data:", "event:", ":", "id:", "retry:"] as [StaticString]
        if fields.contains(where: { text.starts(with: $0.utf8) }) { return true }
        guard text.first == UInt8(ascii: "{") else { return false }
        let end = text.suffix(64)
        return end.indices.contains { end[$0...].starts(with: ("data:" as StaticString).utf8) }
            && end.contains(UInt8(ascii: "["))
    }

    /// The JSON document in a body that has a stream's lines around it: comments before it (OpenRouter), or `[DONE]` behind it.
    ///
    /// - Returns: nil when there is none, or anything else beside it.
    static func document(in body: [UInt8]) -> [UInt8]? {
        var text = beginning(of: body)
        while text.first == UInt8(ascii: ":") {
            guard let end = text.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
            text = text[end...].drop(while: isBlank)
        }
        guard text.first == UInt8(ascii: "{") else { return nil }
        while let end = text.lastIndex(where: { !isBlank($0) }) {
            text = text[...end]
            let start =
                text.lastIndex { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }.map { $0 + 1 }
                ?? text.startIndex
            guard start > text.startIndex, isLineOfAStream(text[start...].drop(while: isBlank)) else { break }
            text = text[..<start]
        }
        let document = Array(text)
        return (try? JSONDocument(parsing: document)) == nil ? nil : document
    }

    /// A comment, or the end.
    private static func isLineOfAStream(_ line: ArraySlice<UInt8>) -> Bool {
        if line.first == UInt8(ascii: ":") { return true }
        return line.starts(with: ("data:" as StaticString).utf8)
            && line.dropFirst(5).drop(while: isBlank).starts(with: ("[DONE]" as StaticString).utf8)
    }

    /// What the first event of such a stream says, when it is JSON.
    static func firstEvent(of body: [UInt8]) -> JSONValue? {
        var parser = EventBlocks()
        parser.feed(body.prefix(256 << 10))
        while let block = (try? parser.next()) ?? parser.end() {
            if let data = block.data { return try? JSONDocument(parsing: Array(parser.bytes[data])).root }
            if block.isCut { return nil }
        }
        return nil
    }

    private static func beginning(of body: [UInt8]) -> ArraySlice<UInt8> {
        let text = body.starts(with: [0xEF, 0xBB, 0xBF]) ? body[3...] : body[...]
        return text.drop(while: isBlank)
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }
}

/// The first bytes of an answer that should be a stream, until they say whether it is one: no line of a stream begins with a bracket.
/// Upstreams mislabel what they send, so the bytes count and not their type.
struct FirstBytes {
    enum Finding: Equatable {
        /// Blanks and comments only.
        case nothingYet
        case stream
        /// A document begins at that byte of those that were looked at.
        case document(at: Int)
    }

    private var isInComment = false
    private var isStream = false

    /// Looks at the next bytes from the network.
    mutating func look(at bytes: Span<UInt8>) -> Finding {
        guard !isStream else { return .stream }
        for position in bytes.indices {
            let byte = bytes[position]
            if isInComment {
                isInComment = byte != UInt8(ascii: "\n") && byte != UInt8(ascii: "\r")
                continue
            }
            switch byte {
            // Blanks and the byte order mark.
            case 0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF: break
            case UInt8(ascii: ":"): isInComment = true
            case UInt8(ascii: "{"): return .document(at: position)
            default:
                isStream = true
                return .stream
            }
        }
        return .nothingYet
    }
}
