/// Whether an upstream answers in the form that was asked for: a stream of events or one document.
enum AnswerForm {
    /// Whether what came in place of a document is a stream, or a document with a stream's lines around it.
    static func isStream(_ body: [UInt8]) -> Bool {
        let text = beginning(of: body)
        let fields = ["data:", "event:", ":", "id:", "retry:"] as [StaticString]
        if fields.contains(where: { text.starts(with: $0.utf8) }) { return true }
        guard text.first == UInt8(ascii: "{") else { return false }
        let end = text.suffix(64)
        return end.indices.contains { end[$0...].starts(with: ("data:" as StaticString).utf8) } && end.contains(UInt8(ascii: "["))
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
        return text.drop { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
    }
}
