/// What the relay has to know of one event, found without decoding it. The event is checked to be JSON on the way: what is not, must not reach
/// a client, whose reader may throw everything away for it.
struct PassThroughEvent: Equatable {
    /// Where the value of `model` stands; the first where there are several.
    private(set) var model: Range<Int>?
    private(set) var hasSeveralModels = false
    /// Where the `usage` object stands, if there is one.
    private(set) var usage: Range<Int>?
    /// Where the value of `usage` stands that is null.
    private(set) var noUsage: Range<Int>?
    /// There is an `error`, and it is not null.
    private(set) var hasError = false
    /// It has a list of choices, if only an empty one.
    private(set) var hasList = false
    private(set) var choices = Choices.none
    /// Some choice has tool calls.
    private(set) var hasCalls = false
    /// Where the text of the only choice stands, between its quotes.
    private(set) var text: Range<Int>?
    /// It tells more than a text: reasoning, a refusal, log probabilities, audio.
    private(set) var tellsMore = false
    /// Bytes of all that is told: texts, reasoning, names and arguments of calls.
    private(set) var bytesTold = 0

    /// It tells of the usage and of nothing else.
    var isUsageAlone: Bool { usage != nil && choices == .none && !hasError }

    enum Choices: Equatable {
        case none
        /// The usual case.
        case one(index: Int, Progress)
        /// More than one in this event: to be read at leisure.
        case several
    }

    /// How far a choice has come.
    enum Progress: Equatable {
        case open, ended
        /// OpenRouter: `finish_reason` is "error".
        case failed
    }

    /// Nil when `text` is no JSON object, checked to its last byte. Places are counted from the beginning of `text`.
    init?(_ text: Span<UInt8>) {
        guard let event = JSONFastPath.look(atAnyOf: text, Self.init(reading:)) else { return nil }
        self = event
    }

    private init?(reading root: JSONFastPath) {
        guard root.kind == .object else { return nil }
        _ = root.each { name, value in
            if name.means("choices") {
                choices = choices(of: value)
                hasList = value.kind == .array
            } else if name.means("model") {
                if model == nil { model = value.place } else { hasSeveralModels = true }
            } else if name.means("usage") {
                usage = value.kind == .object ? value.place : nil
                noUsage = value.kind == .null ? value.place : nil
            } else if name.means("error") {
                hasError = value.kind != .null
            }
            return true
        }
    }

    private mutating func choices(of list: JSONFastPath) -> Choices {
        guard list.kind == .array else { return .none }
        var choices = Choices.none
        var said = Said()
        _ = list.each { _, choice in
            guard choice.kind == .object else {
                if choices != .none { choices = .several }
                return true
            }
            let found = Self.choice(choice, &said)
            choices = choices == .none ? found : .several
            return true
        }
        (hasCalls, text, tellsMore, bytesTold) = (said.hasCalls, said.text, said.more, said.bytes)
        return choices
    }

    private struct Said {
        var hasCalls = false
        var text: Range<Int>?
        var more = false
        var bytes = 0
    }

    private static func choice(_ choice: JSONFastPath, _ said: inout Said) -> Choices {
        var index = 0
        var progress = Progress.open
        _ = choice.each { name, value in
            if name.means("finish_reason") {
                progress =
                    value.kind != .string || value.content?.isEmpty != false
                    ? .open : value.isWritten("error") ? .failed : .ended
            } else if name.means("index") {
                index = value.plainInt ?? 0
            } else if name.means("delta") {
                // Some tell what they think under two names.
                var others = 0
                _ = value.each { name, value in
                    if name.means("content"), value.kind == .string {
                        said.text = value.content
                        said.bytes += value.content?.count ?? 0
                    } else if name.means("tool_calls"), value.kind == .array {
                        if !value.isEmpty {
                            said.hasCalls = true
                            said.bytes += bytes(ofCalls: value)
                        }
                    } else if !value.isEmpty, !name.means("role") {
                        said.more = true
                        others = max(others, value.content?.count ?? 0)
                    }
                    return true
                }
                said.bytes += others
            } else if name.means("logprobs"), value.kind != .null {
                said.more = true
            }
            return true
        }
        return .one(index: index, progress)
    }

    /// Of their names and arguments.
    private static func bytes(ofCalls calls: JSONFastPath) -> Int {
        var bytes = 0
        _ = calls.each { _, call in
            _ = call.each { name, value in
                if name.means("function") {
                    _ = value.each { name, value in
                        if name.means("arguments") || name.means("name") { bytes += value.content?.count ?? 0 }
                        return true
                    }
                }
                return true
            }
            return true
        }
        return bytes
    }
}

extension JSONFastPath {
    /// It says nothing: null, or a text, list or object with nothing in it.
    fileprivate var isEmpty: Bool {
        switch kind {
        case .null: true
        case .string: content?.isEmpty == true
        case .array, .object: each { _, _ in false }
        case .number, .true, .false: false
        }
    }
}
