/// What the simulated model says, before a format and a family give it its form.
package struct Answer: Sendable, Equatable {
    package enum Finish: Sendable, Equatable { case stop, stopSequence, length, toolCalls }

    package struct ToolCall: Sendable, Equatable {
        /// Empty: none.
        package var id: String
        package var name: String
        package var arguments: JSON
    }

    /// How the tool calls of a stream in OpenAI's form are numbered.
    package enum CallNumbers: Sendable, Equatable { case inOrder, zero, none }

    /// Reasoning that is shown, in pieces.
    package var reasoning: [String] = []
    /// The text in pieces, one event each.
    package var pieces: [String] = []
    package var toolCalls: [ToolCall] = []
    package var finish = Finish.stop
    package var promptTokens = 1
    package var reasoningTokens = 0
    /// A stream has all tool calls once more at its end.
    package var restatesCalls = false
    package var callNumbers = CallNumbers.inOrder
    /// Its request wants the same answer each time.
    package var isRepeatable = false
    /// No two have the same.
    package var number = 0

    package var text: String { pieces.joined() }

    /// Tokens without the reasoning. A piece counts as a token, a tool call as ten.
    package var visibleTokens: Int { pieces.count + 10 * toolCalls.count }
}

extension Answer {
    /// The limit when a request names none: tiny, as at the service (OCI wire notes 3.2).
    package static let defaultTokenLimit = 20

    /// `seed` goes into the ids of tool calls, so that no two answers share one, and into what is sampled.
    package init(to call: ChatCall, model: CatalogueModel, pacing: Pacing, seed: Int) {
        promptTokens = call.promptTokens
        (isRepeatable, number) = (call.isRepeatable, seed)
        let habit = ReasoningHabit(model: model.habitsOf)
        if habit == .shown, call.mayReason {
            reasoning = ["The user", " wants", " an answer."]
            reasoningTokens = reasoning.count
        } else if habit == .hidden {
            reasoningTokens = 8
        }
        let called = Self.calledTools(call)
        if !called.isEmpty {
            toolCalls = called.enumerated().map { index, tool in
                ToolCall(
                    id: "call_\(seed)_\(index)", name: tool.name, arguments: SchemaExample.value(for: tool.schema))
            }
            finish = .toolCalls
            return
        }
        if let events = pacing.events {
            // Asked for by whoever runs the simulator, so no limit cuts it.
            pieces = (0..<max(events, 0)).map { pacing.text ?? "word\($0 + 1) " }
            return
        }
        var text = pacing.text ?? Self.reply(to: call)
        // Whatever it would have said itself, it says the rest of that.
        if PrefillHabit(model: model.habitsOf) == .goesOn, let prefill = call.prefill {
            text = String(text.dropFirst(prefill.count))
        }
        for sequence in call.stop where !sequence.isEmpty {
            if let found = Self.firstIndex(of: sequence, in: text) {
                text = String(text[..<found])
                finish = .stopSequence
            }
        }
        pieces = Self.pieces(of: text)
        cut(to: (call.tokenLimit ?? Self.defaultTokenLimit), hidden: habit == .hidden)
    }

    /// Hidden reasoning eats the limit first: a small one leaves no text at all (OCI wire notes 5.3).
    private mutating func cut(to limit: Int, hidden: Bool) {
        if hidden, reasoningTokens >= limit {
            reasoningTokens = limit
            pieces = []
            finish = .length
        } else {
            let room = hidden ? limit - reasoningTokens : limit
            guard pieces.count > room else { return }
            pieces = Array(pieces.prefix(room))
            finish = .length
        }
    }

    private static func calledTools(_ call: ChatCall) -> [ChatCall.Tool] {
        switch call.toolChoice {
        case .none: return []
        case .required:
            guard call.toolResults.isEmpty else { return [] }
            let mentioned = mentionedTools(call)
            return mentioned.isEmpty ? Array(call.tools.prefix(1)) : mentioned
        case .function(let name):
            return call.toolResults.isEmpty ? call.tools.filter { $0.name == name } : []
        case .auto:
            return call.toolResults.isEmpty ? mentionedTools(call) : []
        }
    }

    private static func mentionedTools(_ call: ChatCall) -> [ChatCall.Tool] {
        let mentioned = call.tools.filter { firstIndex(of: $0.name, in: call.userText) != nil }
        return call.allowsParallelCalls ? mentioned : Array(mentioned.prefix(1))
    }

    private static func reply(to call: ChatCall) -> String {
        var text: String
        if !call.toolResults.isEmpty {
            text = "The tools answered: " + call.toolResults.joined(separator: "; ")
        } else if !call.images.isEmpty {
            let noun = call.images.count == 1 ? "image" : "images"
            let sizes = call.images.map { "\($0) bytes" }.joined(separator: ", ")
            text = "I see \(call.images.count) \(noun) (\(sizes)). You said: \(call.userText)"
        } else {
            text = "You said: \(call.userText)"
        }
        switch call.responseFormat {
        case .text: break
        case .object: text = (["answer": .string(text)] as JSON).text
        case .schema(let schema): text = SchemaExample.value(for: schema).text
        }
        return text
    }

    /// Cuts before each space, and after eight characters where there is none. Joined, they are the text again.
    static func pieces(of text: String) -> [String] {
        var pieces: [String] = []
        var piece = ""
        var length = 0
        for character in text {
            if length >= 8 || character == " " && !piece.isEmpty {
                pieces.append(piece)
                piece = ""
                length = 0
            }
            piece.append(character)
            length += 1
        }
        if !piece.isEmpty { pieces.append(piece) }
        return pieces
    }

    private static func firstIndex(of part: String, in text: String) -> String.Index? {
        guard !part.isEmpty else { return nil }
        var start = text.startIndex
        while start < text.endIndex {
            if text[start...].hasPrefix(part) { return start }
            start = text.index(after: start)
        }
        return nil
    }
}
