/// Whether a choice of an upstream that speaks the OpenAI API says anything: a whole answer's, or an event's.
enum ChoiceContent {
    /// Text, reasoning, a refusal, a call, or anything else that is unknown here and not empty; or a reason to have nothing.
    ///
    /// - Parameter choice: an element of `choices`.
    static func saysSomething(_ choice: JSONValue) -> Bool {
        guard choice.kind == .object else { return false }
        return hasWords(in: choice) || choice["finish_reason"].map(excusesSilence) == true
    }

    /// The same but for reasons to have nothing.
    static func hasWords(in choice: JSONValue) -> Bool {
        choice["message"].map(isSaid) == true || choice["delta"].map(isSaid) == true || choice["text"].map(isSaid) == true
    }

    private static func isSaid(_ words: JSONValue) -> Bool {
        guard words.kind == .object else { return !isHollow(words) }
        for (key, value) in words.members where !isHollow(value) && !isLabel(key) { return true }
        return false
    }

    /// Reasoning may use up the whole budget, and a filter may leave nothing. Any reason that is not the usual end is one.
    private static func excusesSilence(_ reason: JSONValue) -> Bool { reason.string.map { FinishWord($0).excusesSilence } ?? false }

    /// Who speaks is not what is said. MiniMax names the speaker.
    private static func isLabel(_ key: JSONValue) -> Bool { key.equals("role") || key.equals("name") }

    /// Nothing that could be shown or done: a text without letters, a container without anything else.
    static func isHollow(_ value: JSONValue) -> Bool {
        switch value.kind {
        case .string: value.isEmptyString == true
        case .array: value.elements.allSatisfy(isHollow)
        case .object: value.members.allSatisfy { $0.key.equals("type") || isHollow($0.value) }
        case .number, .true, .false, .null: true
        }
    }
}
