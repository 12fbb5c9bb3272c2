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
        choice["message"].map(isSaid) == true || choice["delta"].map(isSaid) == true
            || choice["text"].map(isSaid) == true
    }

    /// It says that it has come to its usual end.
    static func hasEnded(_ choice: JSONValue) -> Bool {
        choice["finish_reason"]?.string.map { !$0.isEmpty && FinishWord($0) == .whole } ?? false
    }

    private static func isSaid(_ words: JSONValue) -> Bool {
        guard words.kind == .object else { return !words.isHollow }
        for (key, value) in words.members where !value.isHollow && !isLabel(key) { return true }
        return false
    }

    /// Reasoning may use up the whole budget, and a filter may leave nothing. Any reason that is not the usual end is one.
    private static func excusesSilence(_ reason: JSONValue) -> Bool {
        reason.string.map { FinishWord($0).excusesSilence } ?? false
    }

    /// Who speaks is not what is said. MiniMax names the speaker.
    private static func isLabel(_ key: JSONValue) -> Bool { key.equals("role") || key.equals("name") }
}
