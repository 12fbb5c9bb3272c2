/// Translates the events of a GENERIC stream into chunks, one at a time.
///
/// Every choice gets one role, one finish reason, and its tool calls one after the other. The reasons are written at the end of the answer: one
/// in the middle may be followed by more.
struct GenericStream: AnswerStream {
    private let envelope: ChunkEnvelope
    private let includesUsage: Bool
    private let readsAtAGlance: Bool
    /// How many were asked for.
    private let expected: Int
    private let rules: AnswerRules
    private var choices: [Choice] = []
    private var hasEnded = false
    /// Some choice has said more behind its finish reason: those of this upstream end nothing.
    private var hasGoneOn = false

    private(set) var usage: TokenUsage?
    private(set) var unreadableEvents = 0

    var oddities: Oddities {
        var oddities: Oddities = []
        if hasGoneOn { oddities.insert(.goesOn) }
        if choices.contains(where: \.calls.sharesIDs) { oddities.insert(.calls) }
        return oddities
    }

    /// - Parameters:
    ///   - choices: how many were asked for.
    ///   - readsAtAGlance: whether events are looked at first for what nearly all of them are.
    init(envelope: ChunkEnvelope, includesUsage: Bool, choices: Int = 1, rules: AnswerRules = AnswerRules(), readsAtAGlance: Bool = true) {
        expected = choices
        self.rules = rules
        self.readsAtAGlance = readsAtAGlance && rules.stops.isEmpty
        self.envelope = envelope.prepared
        self.includesUsage = includesUsage
    }

    private struct Choice {
        let index: Int
        var hasRole = false
        /// The last finish reason that it was given.
        var finish: FinishWord?
        /// Nothing has been said behind that.
        var isOver = false
        var calls = ToolCallAssembly()
        /// Ends its text where the client wants it to end.
        var cutter: StopCutter?
    }

    mutating func translate(_ event: ArraySlice<UInt8>, into frames: inout [UInt8]) -> AnswerStreamStep {
        if event.first == UInt8(ascii: "["), event.elementsEqual(("[DONE]" as StaticString).utf8) { return complete(into: &frames) }
        if readsAtAGlance, let found = event.withUnsafeBufferPointer({ GenericGlance($0) }) {
            pass(found, of: event, into: &frames)
            return step
        }
        guard let root = try? JSONDocument(parsing: Array(event)).root, root.kind == .object else {
            unreadableEvents += 1
            return step
        }
        let message = root["message"]
        if message?.kind == .string || (message == nil && (root["code"] != nil || root.present("error") != nil)) {
            return .failed(OCIErrorToOpenAI.translate(event: root))
        }
        if let counts = GenericFields.usage(root["usage"]) { usage = counts }
        // An empty reason, or one that is no text, is none.
        let finish = root["finishReason"].flatMap { $0.isEmptyString == false ? $0 : nil }
        if message != nil || finish != nil {
            let choice = position(of: root["index"]?.int ?? 0)
            if choices[choice].cutter?.hasStopped == true { return step }
            if let message, let failure = take(message, logprobs: root["logprobs"], of: choice, into: &frames) {
                return .failed(failure)
            }
            // A second reason adds nothing when nothing has been said between.
            if let finish, !choices[choice].isOver {
                let word = FinishWord(finish.string ?? "")
                guard word != .failed else { return .failed(.brokenOff("it gave no reason")) }
                choices[choice].finish = word
                choices[choice].isOver = true
            }
            if choices[choice].cutter?.hasStopped == true {
                choices[choice].finish = .whole
                choices[choice].isOver = true
                // The rest is of no use to anybody.
                if isFinished, choices.allSatisfy({ $0.cutter?.hasStopped == true }) {
                    if let failure = writeEnd(into: &frames) { return .failed(failure) }
                    return .complete
                }
            }
        }
        return step
    }

    private var step: AnswerStreamStep { isFinished && !hasGoneOn ? .finished : .more }

    private mutating func pass(_ found: GenericGlance, of event: ArraySlice<UInt8>, into frames: inout [UInt8]) {
        let choice = position(of: found.choice)
        let start = event.startIndex
        if let text = found.reasoning {
            begin(choice, into: &frames)
            envelope.reasoning(event[start + text.lowerBound..<start + text.upperBound], choice: found.choice, into: &frames)
        }
        if let text = found.text {
            begin(choice, into: &frames)
            envelope.content(event[start + text.lowerBound..<start + text.upperBound], choice: found.choice, into: &frames)
        }
    }

    mutating func end(into frames: inout [UInt8]) -> APIError? {
        guard !hasEnded else { return nil }
        guard isFinished else { return .incompleteStream }
        return writeEnd(into: &frames)
    }

    private var isFinished: Bool { !choices.isEmpty && choices.count >= expected && choices.allSatisfy(\.isOver) }

    /// `[DONE]`: the upstream's word that the answer is whole, whether or not each choice got a reason. But a reason that is
    /// missing after an event could not be read may have been in that event, and is not made up.
    private mutating func complete(into frames: inout [UInt8]) -> AnswerStreamStep {
        guard !hasEnded else { return .complete }
        guard unreadableEvents == 0 || isFinished else { return .failed(.incompleteStream) }
        guard !choices.isEmpty else { return .failed(GenericFields.emptyAnswer) }
        if let failure = writeEnd(into: &frames) { return .failed(failure) }
        return .complete
    }

    /// - Returns: why the answer cannot be passed on; nil when all is well.
    private mutating func take(
        _ message: JSONValue, logprobs: JSONValue?, of choice: Int, into frames: inout [UInt8]
    ) -> APIError? {
        let index = choices[choice].index
        if let text = message["reasoningContent"]?.rawString, !text.isEmpty {
            begin(choice, into: &frames)
            envelope.reasoning(text, choice: index, into: &frames)
        }
        if let content = message["content"] {
            // They belong to the event, not to each of its parts.
            var logprobs = GenericFields.logprobs(logprobs)
            for part in content.elements {
                guard let text = part["text"]?.rawString, !text.isEmpty else { continue }
                begin(choice, into: &frames)
                if let uncut = choices[choice].cutter?.take(text) {
                    if !uncut.isEmpty { envelope.content(uncut[...], logprobs: logprobs.take(), choice: index, into: &frames) }
                } else {
                    envelope.content(text, logprobs: logprobs.take(), choice: index, into: &frames)
                }
            }
            if choices[choice].cutter?.hasStopped == true { return nil }
        }
        if let text = message["refusal"]?.rawString, !text.isEmpty {
            begin(choice, into: &frames)
            envelope.refusal(text, choice: index, into: &frames)
        }
        if let calls = message["toolCalls"] {
            for call in calls.elements where !choices[choice].calls.isEmpty || GenericFields.isCall(call) {
                writeRole(of: choice, into: &frames)
                writeHeld(of: choice, into: &frames)
                switch choices[choice].calls.take(call, choice: index, in: envelope, into: &frames) {
                case .taken: goOn(choice)
                case .nothing: break
                case .tooLate: return .brokenOff("it came back to a tool call that was over")
                }
            }
        }
        return nil
    }

    /// Something is said.
    private mutating func begin(_ choice: Int, into frames: inout [UInt8]) {
        goOn(choice)
        writeRole(of: choice, into: &frames)
    }

    private mutating func goOn(_ choice: Int) {
        if choices[choice].isOver { (choices[choice].isOver, hasGoneOn) = (false, true) }
    }

    /// What the cutter has held back, when no more text can follow.
    private mutating func writeHeld(of choice: Int, into frames: inout [UInt8]) {
        guard let held = choices[choice].cutter?.end(), !held.isEmpty else { return }
        envelope.content(held[...], choice: choices[choice].index, into: &frames)
    }

    private mutating func writeRole(of choice: Int, into frames: inout [UInt8]) {
        guard !choices[choice].hasRole else { return }
        choices[choice].hasRole = true
        envelope.role(choice: choices[choice].index, into: &frames)
    }

    /// - Returns: why the answer is none; nil when its end has been written.
    private mutating func writeEnd(into frames: inout [UInt8]) -> APIError? {
        var reasons: [FinishReason] = []
        let hasWords = choices.contains(where: \.hasRole)
        for choice in choices {
            let reason =
                GenericFields.finishReason(choice.finish ?? .whole, hasCalls: !choice.calls.isEmpty, isEmpty: !choice.hasRole) ?? .stop
            // Reasoning may use up the whole budget, and a filter may leave nothing: such an answer says why it is empty.
            let mayBeSilent = reason == .length || reason == .contentFilter || reason == .stop && rules.allowsSilence(usage)
            guard choice.hasRole || mayBeSilent || hasWords && choice.finish == nil else {
                return GenericFields.emptyAnswer
            }
            reasons.append(reason)
        }
        for (position, reason) in reasons.enumerated() {
            writeRole(of: position, into: &frames)
            writeHeld(of: position, into: &frames)
            let index = choices[position].index
            choices[position].calls.closeOpenCall(choice: index, in: envelope, into: &frames)
            envelope.finish(reason, choice: index, into: &frames)
        }
        hasEnded = true
        if includesUsage, let usage { envelope.usage(usage, into: &frames) }
        envelope.done(into: &frames)
        return nil
    }

    private mutating func position(of index: Int) -> Int {
        if let position = choices.firstIndex(where: { $0.index == index }) { return position }
        var choice = Choice(index: index)
        if !rules.stops.isEmpty { choice.cutter = StopCutter(rules.stops) }
        choice.calls.hasOneCall = rules.hasOneCall
        choices.append(choice)
        return choices.count - 1
    }
}
