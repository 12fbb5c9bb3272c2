import ProxyRouting

/// Reads what a model says in the GENERIC format, event by event or as one document.
///
/// Every choice gets one role, one finish reason, and its tool calls one after the other. The reasons are written at the end of the answer: one
/// in the middle may be followed by more.
struct GenericSource: ChatEventSource {
    private let response: ResponseID
    private let readsFastPath: Bool
    /// How many were asked for.
    private var expected: Int
    private let rules: ResponseRules
    private var choices: [Choice] = []
    private var hasEnded = false
    /// Some choice has said more behind its finish reason: those of this upstream end nothing.
    private var hasGoneOn = false

    private(set) var usage: TokenUsage?
    private(set) var unreadableEvents = 0

    var oddities: Oddities {
        var oddities = Oddities()
        if hasGoneOn { oddities.insert(.goesOn) }
        if choices.contains(where: \.calls.sharesIDs) { oddities.insert(.calls) }
        return oddities
    }

    /// - Parameters:
    ///   - response: of which calls without an id get one.
    ///   - choices: how many were asked for.
    ///   - readsAtAGlance: whether events are looked at first for what nearly all of them are.
    init(_ response: ResponseID, choices: Int = 1, rules: ResponseRules = ResponseRules(), readsFastPath: Bool = true) {
        expected = choices
        self.rules = rules
        self.readsFastPath = readsFastPath && rules.stops.isEmpty
        self.response = response
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

    mutating func read(_ event: ArraySlice<UInt8>, into sink: inout some ChatEventSink) -> ChatStreamStep {
        if event.first == UInt8(ascii: "["), event.elementsEqual(("[DONE]" as StaticString).utf8) {
            return complete(into: &sink)
        }
        if readsFastPath, let found = GenericFastPath(event.span) {
            pass(found, of: event, into: &sink)
            return step
        }
        guard let root = try? JSONDocument(parsing: Array(event)).root, root.kind == .object else {
            unreadableEvents += 1
            return step
        }
        let message = root["message"]
        if message?.kind == .string || (message == nil && (root["code"] != nil || root.present("error") != nil)) {
            return .failed(OCIErrorReader.translate(event: root))
        }
        if let counts = TokenUsage(oci: root["usage"]) { usage = counts }
        // An empty reason, or one that is no text, is none.
        let finish = root["finishReason"].flatMap { $0.isEmptyString == false ? $0 : nil }
        guard message != nil || finish != nil else { return step }
        return take(
            root, as: root["index"]?.int ?? 0, message, finish: finish.map { FinishWord($0.string ?? "") }, into: &sink)
    }

    mutating func read(document body: [UInt8], into sink: inout some ChatEventSink) throws(Failure) {
        guard let response = try? JSONDocument(parsing: body).root["chatResponse"],
            response.elements(of: "choices").contains(where: { $0.kind == .object })
        else { throw GenericFields.invalidAnswer(body) }
        let told = Array(response.elements(of: "choices"))
        expected = told.count
        if let time = response["timeCreated"]?.string.flatMap(RFC3339.seconds) { sink.created(at: time) }
        usage = TokenUsage(oci: response["usage"])
        let named = told.compactMap { $0["index"]?.int }
        let isNamed = Set(named).count == told.count
        for (position, choice) in told.enumerated() {
            // A reason that is missing or empty says as little as the usual one.
            let finish = choice.present("finishReason").map { FinishWord($0.string ?? "") } ?? .whole
            guard finish != .failed else {
                throw Failure(.failed(.brokenOff), "The upstream aborted the response with an error. Try again.")
            }
            let index = isNamed ? named[position] : position
            if case .failed(let failure) = take(
                choice, as: index, choice.present("message"), finish: finish, into: &sink)
            {
                throw failure
            }
            if !hasEnded, let annotations = GenericFields.annotations(choice["message"]) {
                sink.annotations(annotations, choice: index)
            }
        }
        guard !hasEnded else { return }
        if let failure = writeEnd(into: &sink) { throw failure }
    }

    /// Takes what an event, or a whole answer, says of one choice.
    private mutating func take(
        _ root: JSONValue, as index: Int, _ message: JSONValue?, finish: FinishWord?,
        into sink: inout some ChatEventSink
    ) -> ChatStreamStep {
        let choice = position(of: index)
        if choices[choice].cutter?.hasStopped == true { return step }
        if let message, let failure = take(message, logprobs: root["logprobs"], of: choice, into: &sink) {
            return .failed(failure)
        }
        // A second reason adds nothing when nothing has been said between.
        if let finish, !choices[choice].isOver {
            guard finish != .failed else { return .failed(.brokenOff("no reason given")) }
            choices[choice].finish = finish
            choices[choice].isOver = true
        }
        if choices[choice].cutter?.hasStopped == true {
            choices[choice].finish = .whole
            choices[choice].isOver = true
            // The rest is of no use to anybody.
            if isFinished, choices.allSatisfy({ $0.cutter?.hasStopped == true }) {
                if let failure = writeEnd(into: &sink) { return .failed(failure) }
                return .complete
            }
        }
        return step
    }

    private var step: ChatStreamStep { isFinished && !hasGoneOn ? .finished : .more }

    private mutating func pass(
        _ found: GenericFastPath, of event: ArraySlice<UInt8>, into sink: inout some ChatEventSink
    ) {
        let choice = position(of: found.choice)
        let start = event.startIndex
        if let text = found.reasoning {
            begin(choice, into: &sink)
            sink.reasoning(event[start + text.lowerBound..<start + text.upperBound], choice: found.choice)
        }
        if let text = found.text {
            begin(choice, into: &sink)
            sink.text(event[start + text.lowerBound..<start + text.upperBound], logprobs: nil, choice: found.choice)
        }
    }

    mutating func end(into sink: inout some ChatEventSink) -> Failure? {
        guard !hasEnded else { return nil }
        guard isFinished else { return .incompleteStream }
        return writeEnd(into: &sink)
    }

    private var isFinished: Bool { !choices.isEmpty && choices.count >= expected && choices.allSatisfy(\.isOver) }

    /// `[DONE]`: the upstream's word that the answer is whole, whether or not each choice got a reason. But a reason that is
    /// missing after an event could not be read may have been in that event, and is not made up.
    private mutating func complete(into sink: inout some ChatEventSink) -> ChatStreamStep {
        guard !hasEnded else { return .complete }
        guard unreadableEvents == 0 || isFinished else { return .failed(.incompleteStream) }
        guard !choices.isEmpty else { return .failed(.emptyAnswer) }
        if let failure = writeEnd(into: &sink) { return .failed(failure) }
        return .complete
    }

    /// - Returns: why the answer cannot be passed on; nil when all is well.
    private mutating func take(
        _ message: JSONValue, logprobs: JSONValue?, of choice: Int, into sink: inout some ChatEventSink
    ) -> Failure? {
        let index = choices[choice].index
        if let text = message["reasoningContent"]?.rawString, !text.isEmpty {
            begin(choice, into: &sink)
            sink.reasoning(text, choice: index)
        }
        // They belong to the event, not to each of its parts.
        var logprobs = GenericFields.logprobs(logprobs)
        if let content = message["content"] {
            for part in content.elements {
                guard let text = part["text"]?.rawString, !text.isEmpty else { continue }
                begin(choice, into: &sink)
                if let uncut = choices[choice].cutter?.take(text) {
                    if !uncut.isEmpty { sink.text(uncut[...], logprobs: logprobs.take(), choice: index) }
                } else {
                    sink.text(text, logprobs: logprobs.take(), choice: index)
                }
            }
            if choices[choice].cutter?.hasStopped == true { return nil }
        }
        if let text = message["refusal"]?.rawString, !text.isEmpty {
            begin(choice, into: &sink)
            sink.refusal(text, choice: index)
        }
        if let calls = message["toolCalls"] {
            for call in calls.elements where !choices[choice].calls.isEmpty || GenericFields.isCall(call) {
                writeRole(of: choice, into: &sink)
                writeHeld(of: choice, into: &sink)
                switch choices[choice].calls.take(call, choice: index, of: response, into: &sink) {
                case .taken: goOn(choice)
                case .nothing: break
                case .tooLate: return .brokenOff("it continued a tool call that was complete")
                }
            }
        }
        if let logprobs, choices[choice].hasRole { sink.text([], logprobs: logprobs, choice: index) }
        return nil
    }

    /// Something is said.
    private mutating func begin(_ choice: Int, into sink: inout some ChatEventSink) {
        goOn(choice)
        writeRole(of: choice, into: &sink)
    }

    private mutating func goOn(_ choice: Int) {
        if choices[choice].isOver { (choices[choice].isOver, hasGoneOn) = (false, true) }
    }

    /// What the cutter has held back, when no more text can follow.
    private mutating func writeHeld(of choice: Int, into sink: inout some ChatEventSink) {
        guard let held = choices[choice].cutter?.end(), !held.isEmpty else { return }
        sink.text(held[...], logprobs: nil, choice: choices[choice].index)
    }

    private mutating func writeRole(of choice: Int, into sink: inout some ChatEventSink) {
        guard !choices[choice].hasRole else { return }
        choices[choice].hasRole = true
        sink.begin(choice: choices[choice].index)
    }

    /// - Returns: why the answer is none; nil when its end has been written.
    private mutating func writeEnd(into sink: inout some ChatEventSink) -> Failure? {
        var reasons: [FinishReason] = []
        let hasWords = choices.contains(where: \.hasRole)
        for choice in choices {
            let reason =
                GenericFields.finishReason(
                    choice.finish ?? .whole, hasCalls: !choice.calls.isEmpty, isEmpty: !choice.hasRole) ?? .stop
            // Reasoning may use up the whole budget, and a filter may leave nothing: such an answer says why it is empty.
            let mayBeSilent =
                reason.isLimit || reason == .contentFilter || reason == .stop && rules.allowsSilence(usage)
            guard choice.hasRole || mayBeSilent || hasWords && choice.finish == nil else {
                return .emptyAnswer
            }
            reasons.append(reason)
        }
        for (position, reason) in reasons.enumerated() {
            writeRole(of: position, into: &sink)
            writeHeld(of: position, into: &sink)
            let index = choices[position].index
            choices[position].calls.closeOpenCall(choice: index, into: &sink)
            if let stop = choices[position].cutter?.stop {
                var escaped: [UInt8] = []
                JSONString.append(String(decoding: stop, as: UTF8.self), to: &escaped)
                sink.stopped(at: escaped[...], choice: index)
            }
            sink.finish(reason, choice: index)
        }
        hasEnded = true
        if let usage { sink.usage(usage) }
        sink.end()
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
