import ProxyRouting

/// Log probabilities in the form of the Responses API.
enum ResponsesLogprobs {
    struct Token {
        /// As events have them, without the bytes.
        let inEvent: [UInt8]
        let inPart: [UInt8]
    }

    /// - Parameter logprobs: an object in chat completions' form.
    static func tokens(_ logprobs: [UInt8]) -> [Token] {
        guard let root = try? JSONDocument(parsing: logprobs).root else { return [] }
        return root.elements(of: "content").filter { $0.kind == .object }.map { token in
            Token(inEvent: write(token, withBytes: false), inPart: write(token, withBytes: true))
        }
    }

    static func list(_ tokens: [[UInt8]]) -> ArraySlice<UInt8> {
        JSONWriter.array(of: tokens)[...]
    }

    private static func write(_ token: JSONValue, withBytes: Bool) -> [UInt8] {
        var writer = JSONWriter(capacity: 128)
        writer.beginObject()
        writeMembers(token, withBytes, to: &writer)
        writer.key("top_logprobs")
        writer.beginArray()
        for other in token.elements(of: "top_logprobs") where other.kind == .object {
            writer.beginObject()
            writeMembers(other, withBytes, to: &writer)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    private static func writeMembers(_ token: JSONValue, _ withBytes: Bool, to writer: inout JSONWriter) {
        writer.key("token")
        writer.raw(token.present("token")?.raw ?? Array("\"\"".utf8)[...])
        if withBytes {
            writer.key("bytes")
            if let bytes = token.present("bytes") {
                writer.raw(bytes.oneLine)
            } else {
                let bytes = (token["token"]?.string ?? "").utf8.map { String($0) }.joined(separator: ",")
                writer.raw(Array("[\(bytes)]".utf8)[...])
            }
        }
        writer.key("logprob")
        writer.raw(token.present("logprob")?.raw ?? Array("0".utf8)[...])
    }
}
