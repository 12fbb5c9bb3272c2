import ProxyRouting

/// The frame around every delta of one streamed answer, written once: what is left per event is copying a few slices.
///
/// The shapes are those that no known client chokes on: `choices[].delta` is always an object, `finish_reason` is always
/// there, a later delta of a tool call repeats neither id nor name, and no member is called `error` but in an error.
struct ChunkEnvelope: Sendable {
    let response: ResponseID
    let created: Int
    /// The name that the client sent.
    let model: String
    /// `data: {"id":...,"model":"...","choices":[`; empty as long as nobody has asked for it.
    private var opening: [UInt8] = []
    /// The same up to a text of the first choice, which most events are.
    private var contentOpening: [UInt8] = []

    init(id: String, created: Int, model: String) {
        response = .given(id)
        self.created = created
        self.model = model
        write()
    }

    /// With a new name. Nothing is written down yet: an answer that passes through has all this itself.
    init(name: RandomName = RandomName(), created: Int, model: String) {
        response = .drawn(name)
        self.created = created
        self.model = model
    }

    /// The same for an answer that another model gives.
    func naming(_ model: String) -> ChunkEnvelope {
        switch response {
        case .given(let id): ChunkEnvelope(id: id, created: created, model: model)
        case .drawn(let name): ChunkEnvelope(name: name, created: created, model: model)
        }
    }

    var id: String { response.text(prefix: "chatcmpl-") }

    /// The same for somebody who writes many events.
    var prepared: ChunkEnvelope {
        var envelope = self
        if opening.isEmpty { envelope.write() }
        return envelope
    }

    private mutating func write() {
        opening = Self.opening(id: id, created: created, model: model)
        contentOpening = opening
        contentOpening.append(literal: #"{"index":0,"delta":{"content":""#)
    }

    private static func opening(id: String, created: Int, model: String) -> [UInt8] {
        var opening: [UInt8] = []
        opening.reserveCapacity(96 + id.utf8.count + model.utf8.count)
        opening.append(literal: "data: {\"id\":\"")
        JSONString.append(id, to: &opening)
        opening.append(literal: "\",\"object\":\"chat.completion.chunk\",\"created\":")
        opening.append(contentsOf: String(created).utf8)
        opening.append(literal: ",\"model\":\"")
        JSONString.append(model, to: &opening)
        opening.append(literal: "\",\"choices\":[")
        return opening
    }

    /// The first delta of a choice.
    func role(choice: Int, into frames: inout [UInt8]) {
        open(choice, &frames)
        frames.append(literal: #""role":"assistant","content":"""#)
        close(&frames)
    }

    /// - Parameter escaped: the text as it stands between the quotes of a JSON string.
    func content(_ escaped: ArraySlice<UInt8>, logprobs: [UInt8]? = nil, choice: Int, into frames: inout [UInt8]) {
        if choice == 0, !contentOpening.isEmpty {
            frames.append(contentsOf: contentOpening)
        } else {
            open(choice, &frames)
            frames.append(literal: #""content":""#)
        }
        frames.append(contentsOf: escaped)
        if let logprobs {
            frames.append(literal: #""},"logprobs":"#)
            frames.append(contentsOf: logprobs)
            frames.append(literal: ",\"finish_reason\":null}]}\n\n")
        } else {
            frames.append(literal: "\"},\"finish_reason\":null}]}\n\n")
        }
    }

    func reasoning(_ escaped: ArraySlice<UInt8>, choice: Int, into frames: inout [UInt8]) {
        open(choice, &frames)
        frames.append(literal: #""reasoning_content":""#)
        frames.append(contentsOf: escaped)
        frames.append(literal: "\"")
        close(&frames)
    }

    func refusal(_ escaped: ArraySlice<UInt8>, choice: Int, into frames: inout [UInt8]) {
        open(choice, &frames)
        frames.append(literal: #""refusal":""#)
        frames.append(contentsOf: escaped)
        frames.append(literal: "\"")
        close(&frames)
    }

    /// The first delta of a tool call.
    func toolCall(
        _ index: Int, id: String, name: ArraySlice<UInt8>, arguments: ArraySlice<UInt8>, choice: Int,
        into frames: inout [UInt8]
    ) {
        open(choice, &frames)
        frames.append(literal: #""tool_calls":[{"index":"#)
        frames.append(contentsOf: String(index).utf8)
        frames.append(literal: #","id":""#)
        JSONString.append(id, to: &frames)
        frames.append(literal: #"","type":"function","function":{"name":""#)
        frames.append(contentsOf: name)
        frames.append(literal: #"","arguments":""#)
        frames.append(contentsOf: arguments)
        frames.append(literal: #""}}]"#)
        close(&frames)
    }

    /// A further delta of a tool call.
    func arguments(_ escaped: ArraySlice<UInt8>, of index: Int, choice: Int, into frames: inout [UInt8]) {
        open(choice, &frames)
        frames.append(literal: #""tool_calls":[{"index":"#)
        frames.append(contentsOf: String(index).utf8)
        frames.append(literal: #","function":{"arguments":""#)
        frames.append(contentsOf: escaped)
        frames.append(literal: #""}}]"#)
        close(&frames)
    }

    func finish(_ reason: FinishReason, choice: Int, into frames: inout [UInt8]) {
        open(choice, &frames)
        frames.append(literal: #"},"finish_reason":""#)
        frames.append(contentsOf: reason.word.utf8)
        frames.append(literal: "\"}]}\n\n")
    }

    /// Token counts, in an event without choices.
    func usage(_ usage: TokenUsage, into frames: inout [UInt8]) {
        self.usage(json: usage.json[...], into: &frames)
    }

    /// - Parameter json: without line breaks.
    func usage(json: ArraySlice<UInt8>, into frames: inout [UInt8]) {
        begin(&frames)
        frames.append(literal: #"],"usage":"#)
        frames.append(contentsOf: json)
        frames.append(literal: "}\n\n")
    }

    /// A delta in an upstream's own words, all of them without line breaks.
    ///
    /// - Parameters:
    ///   - delta: an object.
    ///   - reason: a `finish_reason` with its quotes; nil for none.
    ///   - choiceMembers: further members of the choice, a comma before each.
    ///   - members: further members of the event, a comma before each.
    func event(
        delta: [UInt8], choice: Int, reason: ArraySlice<UInt8>? = nil, choiceMembers: [UInt8] = [],
        members: [UInt8] = [],
        into frames: inout [UInt8]
    ) {
        begin(&frames)
        frames.append(literal: #"{"index":"#)
        frames.append(contentsOf: String(choice).utf8)
        frames.append(literal: #","delta":"#)
        frames.append(contentsOf: delta)
        frames.append(contentsOf: choiceMembers)
        frames.append(literal: #","finish_reason":"#)
        if let reason { frames.append(contentsOf: reason) } else { frames.append(literal: "null") }
        frames.append(literal: "}]")
        frames.append(contentsOf: members)
        frames.append(literal: "}\n\n")
    }

    /// An event that says nothing: it keeps clients alive that count events and not comments.
    ///
    /// - Parameter id: of the answer, where it is not the envelope's.
    func emptyEvent(id: String? = nil) -> [UInt8] {
        if let id { return ChunkEnvelope(id: id, created: created, model: model).emptyEvent() }
        var frames: [UInt8] = []
        open(0, &frames)
        close(&frames)
        return frames
    }

    /// A failure after the headers.
    func error(_ error: Failure) -> [UInt8] { OpenAIError(error).event }

    /// The answer is complete.
    func done(into frames: inout [UInt8]) {
        frames.append(literal: "data: [DONE]\n\n")
    }

    private func begin(_ frames: inout [UInt8]) {
        frames.append(contentsOf: opening.isEmpty ? Self.opening(id: id, created: created, model: model) : opening)
    }

    private func open(_ choice: Int, _ frames: inout [UInt8]) {
        begin(&frames)
        if choice == 0 {
            frames.append(literal: #"{"index":0,"delta":{"#)
        } else {
            frames.append(literal: #"{"index":"#)
            frames.append(contentsOf: String(choice).utf8)
            frames.append(literal: #","delta":{"#)
        }
    }

    private func close(_ frames: inout [UInt8]) {
        frames.append(literal: "},\"finish_reason\":null}]}\n\n")
    }
}
