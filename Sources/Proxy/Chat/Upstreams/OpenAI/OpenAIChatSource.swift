import ProxyRouting

/// Reads what a model says in the form of OpenAI's chat completions, event by event or as one document: for client dialects to which its bytes cannot be passed
/// on as they are.
struct OpenAIChatSource: ChatEventSource {
    private let response: ResponseID
    /// For messages.
    private let upstream: String
    /// How many were asked for.
    private let expected: Int
    /// The usual end may be all that is said.
    var mayBeEmpty: Bool
    /// To say nothing is an answer, whatever has been counted.
    var takesSilence = false
    private var choices: [Choice] = []
    private var hasEnded = false
    private var hasGoneOn = false

    private(set) var usage: TokenUsage?
    private(set) var unreadableEvents = 0

    private struct Choice {
        let index: Int
        var hasBegun = false
        /// The last finish reason that it was given.
        var finish: FinishWord?
        /// Nothing has been said behind that.
        var isOver = false
        var calls = NumberedCalls()
        /// The text of the client's at which it ended, as some servers tell, escaped.
        var stop: ArraySlice<UInt8>?
    }

    var oddities: Oddities { hasGoneOn ? Oddities(.goesOn) : Oddities() }

    init(_ response: ResponseID, of upstream: String, choices: Int = 1, mayBeEmpty: Bool = false) {
        self.response = response
        self.upstream = upstream
        expected = choices
        self.mayBeEmpty = mayBeEmpty
    }

    mutating func read(_ event: ArraySlice<UInt8>, into sink: inout some ChatEventSink) -> ChatStreamStep {
        guard !hasEnded else { return .complete }
        if event.starts(with: ("[DONE]" as StaticString).utf8) { return complete(into: &sink) }
        guard let root = try? JSONDocument(parsing: Array(event)).root, root.kind == .object else {
            unreadableEvents += 1
            return step
        }
        if let failure = failure(in: root) { return .failed(failure) }
        if let counts = TokenUsage(openAI: root["usage"]) { usage = counts }
        for (position, choice) in root.elements(of: "choices").enumerated() where choice.kind == .object {
            if choice["finish_reason"]?.equals("error") == true {
                return .failed(ProviderErrorReader.translate(document: root, upstream: upstream))
            }
            let words = choice.present("delta") ?? choice.present("message")
            let index = choice["index"]?.int ?? position
            guard index < ChoiceProgress.mostChoices else { continue }
            take(words, choice, as: max(index, 0), into: &sink)
        }
        return step
    }

    mutating func read(document body: [UInt8], into sink: inout some ChatEventSink) throws(Failure) {
        let root = try PassThroughResponse.document(
            body, upstream: upstream, mayBeEmpty: mayBeEmpty, takesSilence: takesSilence)
        if let failure = ProviderErrorReader.failure(of: root, upstream: upstream) { throw failure }
        if let seconds = root["created"]?.int, seconds > 0 { sink.created(at: seconds) }
        usage = TokenUsage(openAI: root["usage"])
        for (position, choice) in root.elements(of: "choices").enumerated() where choice.kind == .object {
            let index = choice["index"]?.int ?? position
            guard (0..<ChoiceProgress.mostChoices).contains(index) else { continue }
            take(choice.present("message"), choice, as: index, into: &sink)
        }
        if let failure = writeEnd(into: &sink) { throw failure }
    }

    mutating func end(into sink: inout some ChatEventSink) -> Failure? {
        guard !hasEnded else { return nil }
        return isFinished ? writeEnd(into: &sink) : .incompleteStream
    }

    // MARK: Events

    private func failure(in root: JSONValue) -> Failure? {
        let tells = root.present("error") != nil || root["choices"]?.kind != .array && ErrorWords.tellFailure(root)
        return tells ? ProviderErrorReader.translate(document: root, upstream: upstream) : nil
    }

    private var step: ChatStreamStep { isFinished && !hasGoneOn ? .finished : .more }

    private var isFinished: Bool { !choices.isEmpty && choices.count >= expected && choices.allSatisfy(\.isOver) }

    /// Reasoning under the names that vendors have for it; the first that is there counts.
    private static let reasoning: [StaticString] = ["reasoning_content", "reasoning", "thinking"]

    private mutating func take(
        _ words: JSONValue?, _ choice: JSONValue, as index: Int, into sink: inout some ChatEventSink
    ) {
        let place = place(of: index)
        var logprobs = choice.present("logprobs").map { Array($0.oneLine) }
        if let words {
            if let thought = Self.reasoning.lazy.compactMap({ words[$0]?.rawString }).first(where: { !$0.isEmpty }) {
                begin(place, into: &sink)
                sink.reasoning(thought, choice: index)
            }
            for text in Self.texts(of: words["content"]) {
                begin(place, into: &sink)
                sink.text(text, logprobs: logprobs.take(), choice: index)
            }
            if let text = words["refusal"]?.rawString, !text.isEmpty {
                begin(place, into: &sink)
                sink.refusal(text, choice: index)
            }
            for call in words.elements(of: "tool_calls") where call.kind == .object {
                begin(place, into: &sink)
                choices[place].calls.take(call, choice: index, of: response, into: &sink)
            }
            if let annotations = words["annotations"], annotations.kind == .array, !annotations.isHollow {
                sink.annotations(Array(annotations.oneLine), choice: index)
            }
        }
        if let logprobs, choices[place].hasBegun { sink.text([], logprobs: logprobs, choice: index) }
        if let reason = choice["finish_reason"]?.string, !reason.isEmpty {
            choices[place].finish = FinishWord(reason)
            choices[place].stop = choice["stop_reason"]?.rawString
            choices[place].isOver = true
        }
    }

    /// A text, or parts of which some are texts.
    private static func texts(of content: JSONValue?) -> [ArraySlice<UInt8>] {
        guard let content else { return [] }
        if let text = content.rawString { return text.isEmpty ? [] : [text] }
        return content.elements.compactMap { $0["text"]?.rawString }.filter { !$0.isEmpty }
    }

    private mutating func begin(_ place: Int, into sink: inout some ChatEventSink) {
        if choices[place].isOver { (choices[place].isOver, hasGoneOn) = (false, true) }
        guard !choices[place].hasBegun else { return }
        choices[place].hasBegun = true
        sink.begin(choice: choices[place].index)
    }

    private mutating func place(of index: Int) -> Int {
        if let place = choices.firstIndex(where: { $0.index == index }) { return place }
        choices.append(Choice(index: index))
        return choices.count - 1
    }

    // MARK: The end

    private mutating func complete(into sink: inout some ChatEventSink) -> ChatStreamStep {
        guard unreadableEvents == 0 || isFinished else { return .failed(.incompleteStream) }
        if let failure = writeEnd(into: &sink) { return .failed(failure) }
        return .complete
    }

    private mutating func writeEnd(into sink: inout some ChatEventSink) -> Failure? {
        let says = choices.contains(where: \.hasBegun)
        let excused =
            choices.contains { $0.finish?.excusesSilence == true }
            || (takesSilence || mayBeEmpty && usage?.hasAnswer == true) && !choices.isEmpty
        guard says || excused else { return .emptyAnswer }
        for place in choices.indices {
            let choice = choices[place]
            if !choice.hasBegun { sink.begin(choice: choice.index) }
            choices[place].calls.close(choice: choice.index, of: response, into: &sink)
            if let stop = choice.stop, !stop.isEmpty { sink.stopped(at: stop, choice: choice.index) }
            sink.finish(reason(of: choice), choice: choice.index)
        }
        hasEnded = true
        if let usage { sink.usage(usage) }
        sink.end()
        return nil
    }

    private func reason(of choice: Choice) -> FinishReason {
        switch choice.finish {
        case .limit: .length
        case .window: .contextWindow
        case .filtered: .contentFilter
        case .calls: .toolCalls
        case .other where !choice.hasBegun: .contentFilter
        case .whole, .other, .failed, nil: choice.calls.isEmpty ? .stop : .toolCalls
        }
    }
}

/// The tool calls of one choice, as OpenAI numbers them, told one after the other. Some upstreams leave the number out, or give all calls the same; some mix the
/// pieces of several calls, or name a call after they have begun it.
private struct NumberedCalls {
    private struct Call {
        let number: Int
        var id: String?
        var name: ArraySlice<UInt8>?
        /// What has not been told, as its turn has not come.
        var waiting: [ArraySlice<UInt8>] = []
        var hasArguments = false
    }

    private var calls: [Call] = []
    /// That many have been told; the last of them may go on.
    private var told = 0
    /// Of the one that was told last.
    private var arguments = ArgumentsScan()
    private var invented = CallIDs()

    var isEmpty: Bool { calls.isEmpty }

    mutating func take(_ call: JSONValue, choice: Int, of response: ResponseID, into sink: inout some ChatEventSink) {
        let function = call.present("function") ?? call
        let id = call["id"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        let name = function["name"]?.rawString.flatMap { $0.isEmpty ? nil : $0 }
        let place = place(of: call["index"]?.int, id: id, isNamed: name != nil)
        if place == calls.count { calls.append(Call(number: call["index"]?.int ?? place)) }
        calls[place].id = calls[place].id ?? id
        calls[place].name = calls[place].name ?? name
        let more = ToolCallArguments.escaped(of: function)
        if !more.isEmpty {
            calls[place].hasArguments = true
            if place == told - 1 {
                arguments.take(more)
                sink.arguments(more, of: place, choice: choice)
            } else if place >= told {
                calls[place].waiting.append(more)
            }
        }
        // A call whose arguments are whole is over when there is more of another.
        if place == told, calls[told].name != nil, told == 0 || arguments.isWhole {
            tellNext(choice: choice, of: response, into: &sink)
        }
    }

    /// To which call an entry belongs; one behind the last when it begins another.
    private func place(of number: Int?, id: String?, isNamed: Bool) -> Int {
        guard let last = calls.last else { return 0 }
        if let number, number != last.number {
            return calls.firstIndex { $0.number == number && ($0.id == nil || id == nil || $0.id == id) } ?? calls.count
        }
        guard let id, isNamed else {
            return number == nil && isNamed && last.name != nil ? calls.count : calls.count - 1
        }
        return last.id != nil && id != last.id ? calls.count : calls.count - 1
    }

    private mutating func tellNext(choice: Int, of response: ResponseID, into sink: inout some ChatEventSink) {
        let call = calls[told]
        calls[told].waiting = []
        arguments = ArgumentsScan()
        let waited = call.waiting.count == 1 ? call.waiting[0] : Array(call.waiting.joined())[...]
        arguments.take(waited)
        sink.toolCall(
            told, id: invented.id(for: call.id, of: response, choice: choice, call: told), name: call.name ?? [],
            arguments: waited, choice: choice)
        told += 1
    }

    /// Nothing more will come: tells what has waited. A call without arguments still has to deliver an empty object, once; one that has never been named is none.
    mutating func close(choice: Int, of response: ResponseID, into sink: inout some ChatEventSink) {
        finish(choice: choice, into: &sink)
        while told < calls.count {
            guard calls[told].name != nil else {
                calls.remove(at: told)
                continue
            }
            tellNext(choice: choice, of: response, into: &sink)
            finish(choice: choice, into: &sink)
        }
    }

    private mutating func finish(choice: Int, into sink: inout some ChatEventSink) {
        guard told > 0, !calls[told - 1].hasArguments else { return }
        calls[told - 1].hasArguments = true
        sink.arguments(Array("{}".utf8)[...], of: told - 1, choice: choice)
    }
}
