import ProxyRouting

/// What of a request a provider refuses, in the words in which providers say so.
enum RefusedMember {
    /// The member of those that the provider does not know: the refusal names it in its field, or in its message.
    ///
    /// A value that it does not take is another matter: the next request has another one.
    static func unknown(in failure: Failure, among names: [String]) -> String? {
        let words = words(of: failure)
        guard speaksOfUnknown(words.lowercased()) else { return nil }
        return named(in: failure, words, among: names)
    }

    /// The member of those whose value it does not take.
    static func withOtherValue(in failure: Failure, among names: [String]) -> String? {
        let words = words(of: failure)
        let lower = words.lowercased()
        guard ["value", "supported", "invalid", "must be", "should be", "one of"].contains(where: lower.contains) else {
            return nil
        }
        return named(in: failure, words, among: names)
    }

    private static func named(in failure: Failure, _ words: String, among names: [String]) -> String? {
        if let field = failure.field {
            let last = field.split { $0 == "." || $0 == "[" || $0 == "]" }.last.map(String.init) ?? field
            if names.contains(last) { return last }
        }
        var place = words.startIndex
        while let start = words[place...].firstIndex(where: isOfName) {
            let end = words[start...].firstIndex { !isOfName($0) } ?? words.endIndex
            let word = String(words[start..<end])
            // Some names are words of plain English.
            let isQuoted = start > words.startIndex && "'\"`".contains(words[words.index(before: start)])
            if names.contains(word), isQuoted || word.contains("_") || word == "temperature" || word == "verbosity" {
                return word
            }
            place = end
        }
        return nil
    }

    private static func isOfName(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "_"
    }

    /// The message, without what some repeat of the request behind it.
    private static func words(of failure: Failure) -> String {
        let message = failure.message.cut(toBytes: PlainWords.limit)
        let end = ["'input':", "\"input\":"].compactMap { message.firstRange(of: $0)?.lowerBound }.min()
        return String(message[..<(end ?? message.endIndex)])
    }

    private static func speaksOfUnknown(_ words: String) -> Bool {
        if words.contains("only the default") { return true }
        let isOfValue = ["unsupported value", "supported values", "unsupported_value", "invalid value"]
            .contains(where: words.contains)
        return !isOfValue
            && [
                "unsupported", "not supported", "not support", "n't support", "unknown", "unrecognized", "unrecognised",
                "unexpected", "extra inputs", "extra_forbidden", "extra fields", "not permitted", "not allowed",
                "additional propert", "no such", "not a valid param", "invalid param", "not compatible", "incompatible",
            ].contains(where: words.contains)
    }

    /// The greatest limit of an answer's tokens that the provider takes, where it refuses a greater one.
    static func tokenLimit(in failure: Failure) -> Int? {
        let message = failure.message.cut(toBytes: PlainWords.limit)
        func figure(_ text: Substring) -> Int? { Int(text.filter { $0 != "," }).flatMap { $0 > 0 ? $0 : nil } }
        // "the valid range of max_tokens is [1, 8192]", "Range of max_tokens should be [1, 8192]".
        let range = #/(?i)max(?:_completion|_output)?_tokens[^0-9]{0,80}\[\d+, ?(\d[\d,]{0,9})\]/#
        if let found = message.firstMatch(of: range) { return figure(found.output.1) }
        // "max_tokens: 64000 > 8192, which is the maximum allowed".
        let excess = #/(?i)max(?:_completion|_output)?_tokens[^0-9]{0,20}\d[\d,]* > (\d[\d,]{1,9})/#
        if let found = message.firstMatch(of: excess) { return figure(found.output.1) }
        let tooLarge =
            #/(?i)max(?:_completion|_output)?_tokens\D{0,80}?(?:too large|at most|maximum|must be (?:<=|less)|less than or equal|exceed)/#
        guard message.contains(tooLarge) else { return nil }
        let limit =
            #/(?i)(?:at most|maximum(?: value)?(?: is| of| allowed)?|<=|less than or equal to|up to|limit of)\D{0,40}?(\d[\d,]{1,9})/#
        return message.firstMatch(of: limit).flatMap { figure($0.output.1) }
    }

    /// A system message stands where none may be.
    static func isSystemRole(_ failure: Failure) -> Bool {
        let message = failure.message.cut(toBytes: PlainWords.limit).lowercased()
        let words = Set(message.split { !$0.isLetter })
        return words.contains("system") && !words.isDisjoint(with: ["message", "messages", "role", "roles"])
    }
}
