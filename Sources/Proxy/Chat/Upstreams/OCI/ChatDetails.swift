import ProxyRouting

extension CallDetails {
    /// The document around a chat request of any dialect: where it goes, and what all dialects call alike.
    ///
    /// - Parameter write: writes the members that the dialect has of its own.
    init(
        for target: ChatTarget, in format: APIFormat, _ write: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        var writer = JSONWriter(capacity: 4096, isSplicing: true)
        writer.beginObject()
        target.serving.write(to: &writer)
        writer.key("chatRequest")
        writer.beginObject()
        writer.key("apiFormat")
        writer.string(format.rawValue)
        if target.isStreaming {
            writer.key("isStream")
            writer.bool(true)
            // Always, for the statistics; the client sees it when it asked.
            if !target.family.refuses.contains(.streamOptions) {
                writer.key("streamOptions")
                writer.beginObject()
                writer.key("isIncludeUsage")
                writer.bool(true)
                writer.endObject()
            }
        }
        try write(&writer)
        writer.endObject()
        writer.endObject()
        self.init(writer.text)
    }
}
