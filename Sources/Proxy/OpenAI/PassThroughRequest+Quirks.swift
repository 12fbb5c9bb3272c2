extension PassThroughRequest {
    /// The request without what its upstream refuses.
    func applying(_ quirks: ProviderQuirks) -> PassThroughRequest {
        guard !quirks.isEmpty, let root = try? JSONDocument(parsing: received).root, root.kind == .object else {
            return self
        }
        var writer = JSONWriter(capacity: received.count)
        writer.beginObject()
        for (key, value) in root.members {
            let name = key.string ?? ""
            if quirks.leftOut.contains(name) || quirks.leftOutOnce.contains(name) { continue }
            if name == "max_tokens" {
                writer.key(quirks.hasOtherTokenLimit ? "max_completion_tokens" : "max_tokens")
                let limit = min(quirks.mostTokens ?? .max, quirks.tokensLeft ?? .max)
                if let wanted = value.int, wanted > limit { writer.int(limit) } else { writer.raw(value.raw) }
            } else if name == "messages" {
                writer.memberName(key)
                Self.write(messages: value, quirks, to: &writer)
            } else {
                writer.memberName(key)
                writer.raw(value.raw)
            }
        }
        writer.endObject()
        return (try? PassThroughRequest(body: writer.bytes)) ?? self
    }

    private static func write(messages: JSONValue, _ quirks: ProviderQuirks, to writer: inout JSONWriter) {
        var hasBegun = quirks.systemPlace == .nowhere
        writer.beginArray()
        for message in messages.elements {
            let isSystem = message["role"]?.equals("system") == true
            let isFolded = quirks.systemPlace != .anywhere && hasBegun && isSystem
            hasBegun = hasBegun || !isSystem
            writer.beginObject()
            for (key, value) in message.members {
                if let name = key.string, quirks.leftOut.contains(name) { continue }
                writer.memberName(key)
                if isFolded, key.equals("role") {
                    writer.string(literal: "user")
                } else if isFolded, key.equals("content"), let text = value.rawString {
                    writer.string(escaped: [
                        Array(#"<system-reminder>\n"#.utf8)[...], text, Array(#"\n</system-reminder>"#.utf8)[...],
                    ])
                } else {
                    writer.raw(value.raw)
                }
            }
            writer.endObject()
        }
        writer.endArray()
    }
}
