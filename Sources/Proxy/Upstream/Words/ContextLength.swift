import ProxyRouting

/// Says that a prompt is longer than its model takes in the one way that coding agents understand, however the upstream words it: they compact their
/// history then, instead of giving up. How upstreams word it is in `RefusalWords`.
enum ContextLength {
    /// The message begins as OpenAI's does, and keeps the upstream's words.
    static func error(from message: String) -> Failure {
        let beginning = "This model's maximum context length is"
        let limit = limit(in: message)
        let text =
            if let found = message.firstRange(of: beginning) {
                // Words in front of it would hide it.
                String(message[found.lowerBound...])
            } else {
                "\(beginning) \(limit.map { "\($0) tokens" } ?? "exceeded"). \(message)"
            }
        var failure = Failure(.promptTooLong, text, field: "messages")
        failure.promptLength = .init(tokens: limit.flatMap { tokens(in: message, beyond: $0) }, limit: limit)
        let parts =
            #/(\d[\d,]*)(?: tokens)?(?: of text input)? in the (?:messages|prompt|input)[^0-9]{0,12}(\d[\d,]*)(?: tokens)? in the (?:completion|output)/#
        // "your request has 10000 input tokens (32000 > 32768 - 10000)".
        let inputFirst = #/has (\d[\d,]*) input tokens \((\d[\d,]*) > /#
        let message = message.cut(toBytes: PlainWords.limit)
        if let found = message.firstMatch(of: parts)?.output ?? message.firstMatch(of: inputFirst)?.output {
            failure.promptLength?.messages = Int(found.1.filter { $0 != "," })
            failure.promptLength?.completion = Int(found.2.filter { $0 != "," })
        }
        return failure
    }

    /// The first figure beyond the limit: so long the prompt was.
    private static func tokens(in message: String, beyond limit: Int) -> Int? {
        for match in message.cut(toBytes: PlainWords.limit).matches(of: #/\d[\d,]{2,}/#) {
            if let figure = Int(match.output.filter { $0 != "," }), figure > limit { return figure }
        }
        return nil
    }

    /// The figure that the upstream names as its limit; nil when no number is clearly it: an agent compacts its history to this figure, so a
    /// wrong one is worse than none.
    private static func limit(in message: String) -> Int? {
        // "maximum prompt length is 131,072", "cannot exceed 8192 tokens", "number of tokens allowed (1048576)": between the
        // word and its number stand words, but no other number and no end of a clause.
        let wordFirst =
            #/(?i)(?:maximum|limit|cannot exceed|at most|allowed|context size|context length|max_seq_len|max size|must be <=?)(?! by )[^0-9.,;>]{0,60}?(\d[\d,]{2,})(?!\d)/#
        // "should be [1, 129024]".
        let range = #/\[\d+, ?(\d{3,})\]/#
        // "200000 maximum", "8192 token limit".
        let numberFirst = #/(?i)(\d[\d,]{2,})(?: tokens?)? (?:maximum|limit)/#
        let message = message.cut(toBytes: PlainWords.limit)
        let found =
            message.firstMatch(of: wordFirst)?.output.1 ?? message.firstMatch(of: range)?.output.1
            ?? message.firstMatch(of: numberFirst)?.output.1
        guard let found, let limit = Int(found.filter { $0 != "," }), limit < 1 << 40 else { return nil }
        return limit
    }
}
