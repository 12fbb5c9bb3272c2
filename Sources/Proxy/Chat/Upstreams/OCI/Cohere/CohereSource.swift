import ProxyRouting

/// Reads what a model says in the COHERE format, event by event or as one document.
///
/// Events with tool calls or a finish reason repeat the whole text and all calls (OCI wire notes, 4.4). What the client has
/// got is therefore remembered, and only the rest is passed on.
struct CohereSource: ChatEventSource {
    private var choice: SingleChoiceStream
    private let names: CohereToolNames
    /// The text that the client has got, escaped as it came. It is decoded as a whole only: an event may end between the two
    /// halves of an escaped character.
    private var told: [UInt8] = []
    /// The calls that the client has got, as their names and arguments.
    private var calls: [Call] = []

    private struct Call: Equatable {
        let name: ArraySlice<UInt8>
        let arguments: ArraySlice<UInt8>
    }

    init(_ response: ResponseID, names: CohereToolNames, rules: ResponseRules = ResponseRules()) {
        choice = SingleChoiceStream(response, rules: rules)
        self.names = names
    }

    var usage: TokenUsage? { choice.usage }
    var unreadableEvents: Int { choice.unreadableEvents }
    var oddities: Oddities { choice.oddities }

    mutating func read(_ event: ArraySlice<UInt8>, into sink: inout some ChatEventSink) -> ChatStreamStep {
        let root: JSONValue
        switch choice.read(event, into: &sink) {
        case .done(let step): return step
        case .event(let value): root = value
        }
        return take(root, finish: CohereFields.finishReason(of: root), into: &sink)
    }

    mutating func read(document body: [UInt8], into sink: inout some ChatEventSink) throws(Failure) {
        let response = try CohereFields.chatResponse(body, with: ["text", "toolCalls", "finishReason"])
        if let failure = choice.note(response) { throw failure }
        // A whole answer has the form of a stream's last event. A reason that is missing says as little as the usual one.
        if case .failed(let failure) = take(
            response, finish: CohereFields.finishReason(of: response) ?? .whole, into: &sink)
        {
            throw failure
        }
    }

    private mutating func take(_ root: JSONValue, finish: FinishWord?, into sink: inout some ChatEventSink)
        -> ChatStreamStep
    {
        if let failure = CohereFields.failure(of: root) { return .failed(failure) }
        let entries = root.elements(of: "toolCalls").filter { CohereFields.isCall($0, function: nil) }
        if let text = root["text"]?.rawString {
            if entries.isEmpty, finish == nil {
                told.append(contentsOf: text)
                choice.content(text, into: &sink)
            } else {
                tellRest(of: text, into: &sink)
            }
        }
        tellNew(entries, into: &sink)
        guard let finish else { return .more }
        return choice.finish(finish, into: &sink)
    }

    func end(into sink: inout some ChatEventSink) -> Failure? { choice.end() }

    /// Passes on what the whole text has beyond the deltas. A text that begins otherwise, because an event was lost or because
    /// it has been trimmed, adds nothing: the client would read it twice.
    private mutating func tellRest(of whole: ArraySlice<UInt8>, into sink: inout some ChatEventSink) {
        guard !told.isEmpty else {
            told.append(contentsOf: whole)
            choice.content(whole, into: &sink)
            return
        }
        guard !whole.elementsEqual(told) else { return }
        let (before, after) = (Array(JSONString.decode(told[...]).utf8), Array(JSONString.decode(whole).utf8))
        guard after.count > before.count, after.starts(with: before) else { return }
        var rest: [UInt8] = []
        JSONString.append(String(decoding: after[before.count...], as: UTF8.self), to: &rest)
        told.append(contentsOf: rest)
        choice.content(rest[...], into: &sink)
    }

    /// Passes on the calls that are not there yet. Two equal calls in one event are two calls.
    private mutating func tellNew(_ entries: [JSONValue], into sink: inout some ChatEventSink) {
        var known = calls
        for entry in entries {
            let call = Call(
                name: names.client(entry["name"]?.rawString ?? []), arguments: CohereFields.arguments(of: entry))
            if let index = known.firstIndex(of: call) {
                known.remove(at: index)
                continue
            }
            calls.append(call)
            choice.call(call.name, arguments: call.arguments, into: &sink)
        }
    }
}
