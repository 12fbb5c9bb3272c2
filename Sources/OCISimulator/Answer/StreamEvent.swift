/// One event of a stream.
package struct StreamEvent: Sendable {
    package enum Payload: Sendable {
        case json(JSON)
        /// JSON without `pad`: the OpenAI-compatible path has none.
        case unpadded(JSON)
        /// With the name of the event before it, as the Responses API has it.
        case named(JSON)
        /// Written as it stands, for events that are no JSON: `[DONE]`, broken ones.
        case raw(String)
    }

    package var payload: Payload
    /// True for events that the pacing keeps apart; the others go out with the one before.
    package var isPaced: Bool
    /// True for the event that names the finish reason.
    package var isFinish = false
    /// Waited before it is sent, beside the pacing.
    package var delay = Duration.zero

    package static func paced(_ json: JSON) -> StreamEvent { StreamEvent(payload: .json(json), isPaced: true) }
    package static func following(_ json: JSON) -> StreamEvent { StreamEvent(payload: .json(json), isPaced: false) }
    package static func finish(_ json: JSON, isPaced: Bool = false) -> StreamEvent {
        StreamEvent(payload: .json(json), isPaced: isPaced, isFinish: true)
    }
    package static let done = StreamEvent(payload: .raw("[DONE]"), isPaced: false)

    /// The line `data: ...`, with the service's random `pad` where it has one, and the separator.
    package func bytes(_ separator: Pacing.Separator, _ random: inout SplitMix64) -> [UInt8] {
        var output: [UInt8] = []
        if case .named(let json) = payload { output += Array("event: \(json["type"]?.string ?? "")\n".utf8) }
        output += Array("data: ".utf8)
        switch payload {
        case .raw(let text): output.append(contentsOf: text.utf8)
        case .unpadded(let json), .named(let json): json.write(to: &output)
        case .json(var json):
            // A run of random length, against guesses from the length of the text.
            json["pad"] = .string(String(repeating: "a", count: Int(random.next() % 32) + 1))
            json.write(to: &output)
        }
        output.append(contentsOf: (separator == .blankLine ? "\n\n" : "\n").utf8)
        return output
    }
}

/// Random numbers without a system call for each: of no use for secrets, which are not needed here.
package struct SplitMix64: RandomNumberGenerator {
    private var state = UInt64.random(in: .min ... .max)

    package init() {}

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

/// Gives answers the form of one `apiFormat`.
package protocol ChatDialect: Sendable {
    /// All events of the stream, `[DONE]` included where the format has it.
    func events(_ answer: Answer) -> [StreamEvent]
    /// `chatResponse` of a whole answer. `now` is in milliseconds since 1970.
    func response(_ answer: Answer, now: Int) -> JSON
}

extension ChatCall {
    package func dialect(model: CatalogueModel) -> any ChatDialect {
        switch format {
        case .generic: GenericDialect(call: self, family: ModelFamily(model: model.habitsOf))
        case .cohere: CohereDialect(call: self)
        case .cohereV2: CohereV2Dialect(call: self)
        }
    }
}
