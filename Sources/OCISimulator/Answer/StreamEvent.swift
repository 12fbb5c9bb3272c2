/// One event of a stream.
package struct StreamEvent: Sendable {
    package enum Payload: Sendable {
        case json(JSON)
        /// Written as it stands, for events that are no JSON: `[DONE]`, broken ones.
        case raw(String)
    }

    package var payload: Payload
    /// True for events that the pacing keeps apart; the others go out with the one before.
    package var isPaced: Bool
    /// True for the event that names the finish reason.
    package var isFinish = false

    package static func paced(_ json: JSON) -> StreamEvent { StreamEvent(payload: .json(json), isPaced: true) }
    package static func following(_ json: JSON) -> StreamEvent { StreamEvent(payload: .json(json), isPaced: false) }
    package static func finish(_ json: JSON, isPaced: Bool = false) -> StreamEvent {
        StreamEvent(payload: .json(json), isPaced: isPaced, isFinish: true)
    }
    package static let done = StreamEvent(payload: .raw("[DONE]"), isPaced: false)

    /// The line `data: ...` with the service's random `pad`, and the separator.
    package func bytes(_ separator: Pacing.Separator) -> [UInt8] {
        var output = Array("data: ".utf8)
        switch payload {
        case .raw(let text): output.append(contentsOf: text.utf8)
        case .json(var json):
            // A run of random length against traffic analysis.
            json["pad"] = .string(String(repeating: "a", count: Int.random(in: 1...32)))
            json.write(to: &output)
        }
        output.append(contentsOf: (separator == .blankLine ? "\n\n" : "\n").utf8)
        return output
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
