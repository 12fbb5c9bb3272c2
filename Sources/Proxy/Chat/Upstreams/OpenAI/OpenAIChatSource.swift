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
    private let mayBeEmpty: Bool
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
            take(words, choice, as: max(choice["index"]?.int ?? position, 0), into: &sink)
        }
        return step
    }

    mutating func read(document body: [UInt8], into sink: inout some ChatEventSink) throws(Failure) {
        let root = try PassThroughResponse.document(body, upstream: upstream, mayBeEmpty: mayBeEmpty)
        if let failure = ProviderErrorReader.failure(of: root, upstream: upstream) { throw failure }
        if let seconds = root["created"]?.int, seconds > 0 { sink.created(at: seconds) }
        usage = TokenUsage(openAI: root["usage"])
        for (position, choice) in root.elements(of: "choices").enumerated() where choice.kind == .object {
            take(choice.present("message"), choice, as: choice["index"]?.int ?? position, into: &sink)
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
        var logprobs = choice.present("logprobs").map { Array($0.raw) }
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
                sink.annotations(Array(annotations.raw), choice: index)
            }
        }
        if let logprobs, choices[place].hasBegun { sink.text([], logprobs: logprobs, choice: index) }
        if let reason = choice["finish_reason"]?.string, !reason.isEmpty {
            choices[place].finish = FinishWord(reason)
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
            || mayBeEmpty && usage?.hasAnswer == true && !choices.isEmpty
        guard says || excused else { return .emptyAnswer }
        for place in choices.indices {
            let choice = choices[place]
            if !choice.hasBegun { sink.begin(choice: choice.index) }
            choices[place].calls.close(choice: choice.index, into: &sink)
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
        case .filtered: .contentFilter
        case .calls: .toolCalls
        case .other where !choice.hasBegun: .contentFilter
        case .whole, .other, .failed, nil: choice.calls.isEmpty ? .stop : .toolCalls
        }
    }
}

/// The tool calls of one choice, as OpenAI numbers them. Some upstreams leave the number out, or give all calls the same.
private struct NumberedCalls {
    private var numbers: [Int] = []
    private var ids: [String?] = []
    private var hasArguments = false
    private var invented = CallIDs()

    var isEmpty: Bool { numbers.isEmpty }

    mutating func take(_ call: JSONValue, choice: Int, of response: ResponseID, into sink: inout some ChatEventSink) {
        let function = call.present("function") ?? call
        let id = call["id"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        let name = function["name"]?.rawString.flatMap { $0.isEmpty ? nil : $0 }
        let arguments = ToolCallArguments.escaped(of: function)
        if isNext(call["index"]?.int, id: id, isNamed: name != nil) {
            close(choice: choice, into: &sink)
            let position = numbers.count
            numbers.append(call["index"]?.int ?? position)
            ids.append(id)
            hasArguments = !arguments.isEmpty
            sink.toolCall(
                position, id: invented.id(for: id, of: response, choice: choice, call: position), name: name ?? [],
                arguments: arguments, choice: choice)
        } else if !arguments.isEmpty {
            hasArguments = true
            sink.arguments(arguments, of: numbers.count - 1, choice: choice)
        }
    }

    /// Whether an entry begins another call than the one that is open.
    private func isNext(_ number: Int?, id: String?, isNamed: Bool) -> Bool {
        guard let last = numbers.last, let lastID = ids.last else { return true }
        if let number, number != last { return true }
        guard let id, isNamed else { return number == nil && isNamed }
        return lastID != nil && id != lastID
    }

    /// A call without arguments still has to deliver an empty object, once.
    mutating func close(choice: Int, into sink: inout some ChatEventSink) {
        guard !numbers.isEmpty, !hasArguments else { return }
        hasArguments = true
        sink.arguments(Array("{}".utf8)[...], of: numbers.count - 1, choice: choice)
    }
}
