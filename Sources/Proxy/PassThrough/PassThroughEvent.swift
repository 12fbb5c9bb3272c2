/// What the relay has to know of one event, found in one pass and without decoding it.
struct PassThroughEvent: Equatable {
    /// Where the value of `model` stands; the first where there are several.
    private(set) var model: Range<Int>?
    private(set) var hasSeveralModels = false
    /// Where the `usage` object stands, if there is one.
    private(set) var usage: Range<Int>?
    /// There is an `error`, and it is not null.
    private(set) var hasError = false
    private(set) var choices = Choices.none

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

    /// Nil when `text` is no JSON object. Places are counted from the beginning of `text`.
    init?(_ text: UnsafeBufferPointer<UInt8>) {
        var cursor = JSONCursor(text)
        guard cursor.enterObject() else { return nil }
        while let key = cursor.nextKey() {
            if cursor.key(key, is: "choices") {
                choices = Self.choices(&cursor)
            } else if cursor.key(key, is: "model") {
                let value = cursor.skipValue()
                if model == nil { model = value } else { hasSeveralModels = true }
            } else if cursor.key(key, is: "usage") {
                let isObject = cursor.byte == UInt8(ascii: "{")
                let value = cursor.skipValue()
                usage = isObject ? value : nil
            } else if cursor.key(key, is: "error") {
                guard let value = cursor.skipValue() else { return nil }
                hasError = !cursor.matches("null", in: value)
            } else {
                _ = cursor.skipValue()
            }
        }
        guard cursor.isAtEnd() else { return nil }
    }

    /// - Parameter cursor: stands at the value, and behind it afterwards.
    private static func choices(_ cursor: inout JSONCursor) -> Choices {
        guard cursor.enterArray() else {
            _ = cursor.skipValue()
            return .none
        }
        var choices = Choices.none
        while cursor.nextElement() {
            guard choices == .none, cursor.enterObject() else {
                if choices != .none { choices = .several }
                _ = cursor.skipValue()
                continue
            }
            choices = choice(&cursor)
        }
        return choices
    }

    /// - Parameter cursor: stands inside the choice.
    private static func choice(_ cursor: inout JSONCursor) -> Choices {
        var index = 0
        var progress = Progress.open
        while let key = cursor.nextKey() {
            if cursor.key(key, is: "finish_reason") {
                let isString = cursor.byte == UInt8(ascii: "\"")
                guard let value = cursor.skipValue() else { break }
                progress =
                    if !isString || value.count == 2 { .open } else if cursor.matches("\"error\"", in: value) { .failed } else { .ended }
            } else if cursor.key(key, is: "index") {
                index = cursor.int() ?? 0
            } else {
                _ = cursor.skipValue()
            }
        }
        return .one(index: index, progress)
    }
}
