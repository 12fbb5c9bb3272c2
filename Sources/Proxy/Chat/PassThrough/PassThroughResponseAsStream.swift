import ProxyRouting

/// A whole answer of an upstream that speaks the OpenAI API told as a stream, for clients that asked for one while the upstream is
/// called without (`force_non_stream`).
///
/// What is known takes the shapes of every stream. What is not goes along as the upstream wrote it: members of the message in a
/// delta of their own, those of a choice beside its reason, those of the answer in the first event.
enum PassThroughResponseAsStream {
    /// The events of the whole stream, `[DONE]` included, and the token counts.
    ///
    /// - Parameters:
    ///   - envelope: the name that the client sent; its id and time are used where the answer has none.
    /// - Throws: as `PassThroughResponse.read`, and for an answer that was broken off with an error.
    static func frames(
        of body: [UInt8], upstream: String, in envelope: ChunkEnvelope, includesUsage: Bool,
        mayBeEmpty: Bool = false
    ) throws(Failure) -> (frames: [UInt8], usage: TokenUsage?) {
        // A line break can only stand between tokens; in an event it would be the end of its line.
        let root = try PassThroughResponse.document(
            body.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }, upstream: upstream, mayBeEmpty: mayBeEmpty)
        let choices = root.elements(of: "choices").filter { $0.kind == .object }
        if let failure = ProviderErrorReader.failure(of: root, upstream: upstream) { throw failure }
        if choices.contains(where: { $0["finish_reason"]?.equals("error") == true }) {
            throw ProviderErrorReader.translate(document: root, upstream: upstream)
        }

        let id = root["id"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        let envelope = ChunkEnvelope(
            id: id ?? envelope.id, created: root["created"]?.int ?? envelope.created, model: envelope.model)
        var frames: [UInt8] = []
        frames.reserveCapacity(body.count + 1024 * choices.count)
        for (position, (choice, index)) in zip(choices, indices(of: choices)).enumerated() {
            let further =
                position == 0
                ? members(of: root, but: ["id", "object", "created", "model", "choices", "usage", "error"]) : []
            envelope.event(
                delta: Array(#"{"role":"assistant","content":""}"#.utf8), choice: index, members: further, into: &frames
            )
            tell(choice, as: index, in: envelope, into: &frames)
        }
        if includesUsage, let usage = root.present("usage") { envelope.usage(json: usage.raw, into: &frames) }
        envelope.done(into: &frames)
        return (frames, TokenUsage(openAI: root["usage"]))
    }

    /// Reasoning under all its names. They go into one delta, apart from the content: some readers choose among them, and some drop
    /// the content beside them.
    private static let reasoning: [StaticString] = [
        "reasoning_content", "reasoning", "reasoning_details", "thinking", "thinking_blocks",
    ]

    private static func tell(_ choice: JSONValue, as index: Int, in envelope: ChunkEnvelope, into frames: inout [UInt8])
    {
        let message = choice["message"]
        let calls = message?.elements(of: "tool_calls").filter { $0.kind == .object } ?? []
        var logprobs = choice.present("logprobs").map { Array(#","logprobs":"#.utf8) + $0.raw }
        if let message {
            delta(members(of: message, only: reasoning))
            let content = members(of: message, only: ["content"])
            if !content.isEmpty { delta(content, choiceMembers: logprobs.take() ?? []) }
            delta(members(of: message, but: ["role", "content", "tool_calls"] + reasoning))
        }
        var ids = CallIDs()
        for (position, call) in calls.enumerated() {
            let id = ids.id(for: call["id"]?.string, of: envelope.response, choice: index, call: position)
            envelope.event(delta: callDelta(of: call, at: position, id: id), choice: index, into: &frames)
        }
        let further = members(of: choice, but: ["index", "message", "delta", "finish_reason", "logprobs"])
        envelope.event(
            delta: Array("{}".utf8), choice: index, reason: reason(of: choice, hasCalls: !calls.isEmpty),
            choiceMembers: (logprobs ?? []) + further,
            into: &frames)

        func delta(_ members: [UInt8], choiceMembers: [UInt8] = []) {
            guard !members.isEmpty else { return }
            let delta = [UInt8(ascii: "{")] + members.dropFirst() + [UInt8(ascii: "}")]
            envelope.event(delta: delta, choice: index, choiceMembers: choiceMembers, into: &frames)
        }
    }

    /// A call as the one delta that it needs: index, id and arguments are there, whatever the upstream left out.
    private static func callDelta(of call: JSONValue, at position: Int, id: String) -> [UInt8] {
        var delta = Array(#"{"tool_calls":[{"index":"#.utf8) + Array(String(position).utf8)
        delta.append(literal: #","id":"#)
        delta.append(contentsOf: ModelMember.quoted(id))
        delta.append(literal: #","type":"#)
        if let type = call.present("type") {
            delta.append(contentsOf: type.raw)
        } else {
            delta.append(literal: #""function""#)
        }
        if let function = call.present("function") {
            let arguments = ToolCallArguments.escaped(of: function)
            delta.append(literal: #","function":{"name":"#)
            if let name = function["name"], name.kind == .string {
                delta.append(contentsOf: name.raw)
            } else {
                delta.append(literal: #""""#)
            }
            delta.append(literal: #","arguments":""#)
            if arguments.isEmpty { delta.append(literal: "{}") } else { delta.append(contentsOf: arguments) }
            delta.append(literal: "\"")
            delta.append(contentsOf: members(of: function, but: ["name", "arguments"]))
            delta.append(literal: "}")
        }
        delta.append(contentsOf: members(of: call, but: ["index", "id", "type", "function"]))
        delta.append(literal: "}]}")
        return delta
    }

    /// The upstream's own; but some say `stop` when tools are called, and some nothing.
    private static func reason(of choice: JSONValue, hasCalls: Bool) -> ArraySlice<UInt8> {
        let reason = choice["finish_reason"].flatMap { $0.isEmptyString == false ? $0 : nil }
        if hasCalls, reason?.equals("stop") ?? true { return Array(#""tool_calls""#.utf8)[...] }
        return reason?.raw ?? Array(#""stop""#.utf8)[...]
    }

    /// The upstream's numbers of its choices, or their places where those do not tell them apart.
    private static func indices(of choices: [JSONValue]) -> [Int] {
        let named = choices.compactMap { $0["index"]?.int }
        return Set(named).count == choices.count ? named : Array(choices.indices)
    }

    /// The members of an object but for some, as they are written, a comma before each; none that is null.
    private static func members(of object: JSONValue, but known: [StaticString]) -> [UInt8] {
        members(of: object) { key, value in !value.isNull && !known.contains { key.equals($0) } }
    }

    /// Some members of an object as they are written, a comma before each; none that says nothing.
    private static func members(of object: JSONValue, only wanted: [StaticString]) -> [UInt8] {
        members(of: object) { key, value in !value.isHollow && wanted.contains { key.equals($0) } }
    }

    private static func members(of object: JSONValue, where isWanted: (JSONValue, JSONValue) -> Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        for (key, value) in object.members where isWanted(key, value) {
            bytes.append(UInt8(ascii: ","))
            bytes.append(contentsOf: key.raw)
            bytes.append(UInt8(ascii: ":"))
            bytes.append(contentsOf: value.raw)
        }
        return bytes
    }
}
