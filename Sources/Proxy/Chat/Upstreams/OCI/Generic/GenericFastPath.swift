/// An event of a GENERIC stream that only brings text, as nearly all do, read without making a document of it.
///
/// Whatever is out of the ordinary, be it a member twice, an escaped name, a call or a reason to end, is none: then the event is read in full.
struct GenericFastPath: Equatable {
    /// The choice's number.
    private(set) var choice = 0
    /// Where the texts stand in the event, escapes untouched; nil where there are none.
    private(set) var reasoning: Range<Int>?
    private(set) var text: Range<Int>?

    /// Nil when the event is no JSON, or not of this kind. Places are counted from its beginning.
    init?(_ event: Span<UInt8>) {
        guard let found = JSONFastPath.look(at: event, Self.read) else { return nil }
        self = found
    }

    private init() {}

    private static func read(_ root: JSONFastPath) -> GenericFastPath? {
        guard root.kind == .object else { return nil }
        var found = GenericFastPath()
        var (hasMessage, hasIndex) = (false, false)
        let isCommon = root.each { name, value in
            if name.isEscaped { return false }
            if name.reads("message") {
                guard !hasMessage, value.kind == .object else { return false }
                hasMessage = true
                return found.take(message: value)
            }
            if name.reads("index") {
                guard !hasIndex, let index = value.smallInt else { return false }
                hasIndex = true
                found.choice = index
                return true
            }
            return
                !(name.reads("finishReason") || name.reads("usage") || name.reads("logprobs") || name.reads("code")
                || name.reads("error"))
        }
        return isCommon && hasMessage ? found : nil
    }

    private mutating func take(message: JSONFastPath) -> Bool {
        var (hasContent, hasReasoning) = (false, false)
        return message.each { name, value in
            if name.isEscaped { return false }
            if name.reads("content") {
                guard !hasContent, value.kind == .array else { return false }
                hasContent = true
                return take(content: value)
            }
            if name.reads("reasoningContent") {
                guard !hasReasoning else { return false }
                hasReasoning = true
                if let text = value.content, !text.isEmpty { reasoning = text }
                return true
            }
            return !(name.reads("refusal") || name.reads("toolCalls")) || value.kind == .null
        }
    }

    /// One part at most.
    private mutating func take(content: JSONFastPath) -> Bool {
        var hasPart = false
        return content.each { _, part in
            guard !hasPart else { return false }
            hasPart = true
            var hasText = false
            return part.each { name, value in
                if name.isEscaped { return false }
                guard name.reads("text") else { return true }
                guard !hasText else { return false }
                hasText = true
                if let content = value.content, !content.isEmpty { text = content }
                return true
            }
        }
    }
}
