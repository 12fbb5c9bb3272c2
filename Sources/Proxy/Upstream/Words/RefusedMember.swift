import ProxyRouting

/// What of a request a provider refuses, in the words in which providers say so.
enum RefusedMember {
    /// The member of those that the refusal names: in its field, or as a word of its message.
    static func named(in failure: Failure, among names: [String]) -> String? {
        if let field = failure.field {
            let last = field.split { $0 == "." || $0 == "[" || $0 == "]" }.last.map(String.init) ?? field
            if names.contains(last) { return last }
        }
        let words = Set(
            failure.message.cut(toBytes: PlainWords.limit).split { !($0.isLetter || $0.isNumber || $0 == "_") }.map(
                String.init))
        return names.first { words.contains($0) }
    }

    /// The greatest limit of an answer's tokens that the provider takes, where it refuses a greater one.
    static func tokenLimit(in failure: Failure) -> Int? {
        let message = failure.message.cut(toBytes: PlainWords.limit)
        let tooLarge =
            #/(?i)max(?:_completion|_output)?_tokens\D{0,80}?(?:too large|at most|maximum|must be (?:<=|less)|less than or equal|exceed)/#
        guard message.contains(tooLarge) else { return nil }
        let limit =
            #/(?i)(?:at most|maximum(?: value)?(?: is| of| allowed)?|<=|less than or equal to|up to|limit of)\D{0,40}?(\d[\d,]{1,9})/#
        guard let found = message.firstMatch(of: limit) else { return nil }
        return Int(found.output.1.filter { $0 != "," }).flatMap { $0 > 0 ? $0 : nil }
    }

    /// A system message stands where none may be.
    static func isSystemRole(_ failure: Failure) -> Bool {
        let message = failure.message.cut(toBytes: PlainWords.limit).lowercased()
        return message.contains("system") && (message.contains("message") || message.contains("role"))
    }
}
