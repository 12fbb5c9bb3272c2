/// A way in which upstreams speak that no document has, as their users report it. The answer means what it would mean without.
package enum Habit: Sendable, Equatable {
    /// Each event of a stream has a finish reason. Not in Cohere's formats, which end with the first.
    case reasonWithEachEvent
    /// The first event of a stream has a finish reason, and the answer goes on. Not in Cohere's formats.
    case reasonFirst
    /// What follows the finish reason comes so long behind it: usage, `[DONE]`, the end of the body.
    case lateTail(Duration)
    /// All tool calls have one id.
    case oneCallID
    /// Tool calls have no ids. COHERE's never have any.
    case noCallIDs
    /// The id of a tool call is the tool's name.
    case nameAsCallID
    /// A further event of a stream has all tool calls once more. COHERE's streams always have it.
    case restatedCalls
    /// Tool calls of a stream in OpenAI's form are not numbered.
    case noCallNumbers
    /// Tool calls of a stream in OpenAI's form all have the number 0.
    case oneCallNumber
    /// Lines of a stream end with CR alone.
    case carriageReturns
    /// The body is packed with gzip, whatever was asked for.
    case packed
    /// No two answers are the same, unless the request has a `seed` or a temperature of 0.
    case samples

    /// The names by which the control API knows them.
    package static let names = [
        "reasonWithEachEvent", "reasonFirst", "lateTail", "oneCallID", "noCallIDs", "nameAsCallID", "restatedCalls",
        "noCallNumbers", "oneCallNumber",
        "carriageReturns", "packed", "samples",
    ]

    /// - Parameter duration: of `lateTail`.
    package init?(_ name: String, duration: Duration) {
        switch name {
        case "reasonWithEachEvent": self = .reasonWithEachEvent
        case "reasonFirst": self = .reasonFirst
        case "lateTail": self = .lateTail(duration)
        case "oneCallID": self = .oneCallID
        case "noCallIDs": self = .noCallIDs
        case "nameAsCallID": self = .nameAsCallID
        case "restatedCalls": self = .restatedCalls
        case "noCallNumbers": self = .noCallNumbers
        case "oneCallNumber": self = .oneCallNumber
        case "carriageReturns": self = .carriageReturns
        case "packed": self = .packed
        case "samples": self = .samples
        default: return nil
        }
    }
}

extension Answer {
    /// The answer, as a model with that habit gives it.
    mutating func take(_ habit: Habit) {
        switch habit {
        case .oneCallID: for index in toolCalls.indices { toolCalls[index].id = "call_0" }
        case .noCallIDs: for index in toolCalls.indices { toolCalls[index].id = "" }
        case .nameAsCallID: for index in toolCalls.indices { toolCalls[index].id = toolCalls[index].name }
        case .restatedCalls: restatesCalls = true
        case .noCallNumbers: callNumbers = .none
        case .oneCallNumber: callNumbers = .zero
        case .samples: if !isRepeatable { pieces.insert(" (\(number))", at: Swift.min(1, pieces.count)) }
        case .reasonWithEachEvent, .reasonFirst, .lateTail, .carriageReturns, .packed: break
        }
    }
}

extension [StreamEvent] {
    /// The events, as an upstream with that habit sends them.
    mutating func take(_ habit: Habit) {
        switch habit {
        case .reasonWithEachEvent: for index in indices { self[index].claimEnd() }
        case .reasonFirst: if !isEmpty { self[0].claimEnd() }
        case .lateTail(let duration):
            guard let last = lastIndex(where: \.isFinish), index(after: last) < endIndex else { return }
            self[index(after: last)].delay = duration
        case .oneCallID, .noCallIDs, .nameAsCallID, .restatedCalls, .noCallNumbers, .oneCallNumber, .carriageReturns,
            .packed, .samples:
            break
        }
    }
}

extension StreamEvent {
    /// Gives each choice of the event a finish reason, if it has none.
    fileprivate mutating func claimEnd() {
        switch payload {
        case .json(var event):
            guard event["apiFormat"] == nil, event["message"] != nil, event["finishReason"] == nil else { return }
            event["finishReason"] = "stop"
            payload = .json(event)
        case .unpadded(var chunk):
            guard let choices = chunk["choices"]?.array, !choices.isEmpty else { return }
            chunk["choices"] = .array(
                choices.map { choice in
                    var choice = choice
                    if choice["finish_reason"] == .null { choice["finish_reason"] = "stop" }
                    return choice
                })
            payload = .unpadded(chunk)
        case .raw, .named: break
        }
    }
}
