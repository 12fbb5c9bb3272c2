import ProxyRouting

/// Tells the client of a broken answer what a second upstream says, from where the first has stopped. Until then nothing is written.
struct RescueSink<Inner: ChatByteSink>: ChatByteSink {
    private(set) var inner: Inner
    private(set) var sent: SentText
    /// Nil once all has come that the client knows.
    private var comparison: TextComparison?
    /// Tokens of what was told before, where the second answer does not count them.
    let tokensBefore: Int
    /// The text of the client's that has ended the answer, told before all is there that the client knows.
    private var stop: [UInt8]?
    /// It is another answer than the client's. Nothing has been written.
    private(set) var hasDiverged = false
    /// What the second upstream has said, what the client knew included.
    private(set) var told: TextMeter

    /// - Parameters:
    ///   - inner: as the first answer has left it.
    ///   - tokensBefore: 0 where the whole answer comes once more.
    ///   - meter: that counts from here on.
    init(
        _ inner: Inner, behind sent: SentText, _ comparison: TextComparison, tokensBefore: Int = 0,
        meter: TextMeter = TextMeter()
    ) {
        self.inner = inner
        told = meter
        self.sent = sent
        self.comparison = comparison.isOver ? nil : comparison
        self.tokensBefore = tokensBefore
    }

    var bytes: [UInt8] {
        get { inner.bytes }
        _modify { yield &inner.bytes }
    }

    mutating func dropBytes() { inner.dropBytes() }

    var tellsReasoning: Bool { inner.tellsReasoning }

    // The client knows when its answer was made, and that it has begun.
    mutating func created(at seconds: Int) {}
    mutating func begin(choice: Int) {}

    mutating func text(_ escaped: ArraySlice<UInt8>, logprobs: [UInt8]?, choice: Int) {
        told.take(escaped)
        guard choice == 0, !hasDiverged else { return }
        guard var comparison else { return say(escaped) }
        switch comparison.take(escaped) {
        case .more: self.comparison = comparison
        case .diverged: hasDiverged = true
        case .covered(let rest):
            self.comparison = nil
            say(rest[...])
        }
    }

    private mutating func say(_ escaped: ArraySlice<UInt8>) {
        guard !escaped.isEmpty else { return }
        sent.add(escaped)
        inner.text(escaped, logprobs: nil, choice: 0)
    }

    /// The client has seen none of the first answer's, and would not know what to do with it in the middle of a text.
    mutating func reasoning(_ escaped: ArraySlice<UInt8>, choice: Int) { told.take(escaped) }

    mutating func refusal(_ escaped: ArraySlice<UInt8>, choice: Int) {
        told.take(escaped)
        guard goesOn() else { return }
        sent.spoil()
        inner.refusal(escaped, choice: choice)
    }

    mutating func toolCall(_ call: Int, id: String, name: ArraySlice<UInt8>, arguments: ArraySlice<UInt8>, choice: Int)
    {
        told.take(name)
        told.take(arguments)
        guard goesOn() else { return }
        sent.spoil()
        inner.toolCall(call, id: id, name: name, arguments: arguments, choice: choice)
    }

    mutating func arguments(_ escaped: ArraySlice<UInt8>, of call: Int, choice: Int) {
        told.take(escaped)
        if goesOn() { inner.arguments(escaped, of: call, choice: choice) }
    }

    mutating func annotations(_ json: [UInt8], choice: Int) {}

    mutating func stopped(at text: ArraySlice<UInt8>, choice: Int) {
        if comparison == nil { inner.stopped(at: text, choice: choice) } else { stop = Array(text) }
    }

    mutating func finish(_ reason: FinishReason, choice: Int) {
        guard choice == 0, !hasDiverged else { return }
        if var comparison {
            guard let rest = comparison.end() else {
                hasDiverged = true
                return
            }
            self.comparison = nil
            say(rest[...])
        }
        if let stop { inner.stopped(at: stop[...], choice: choice) }
        sent.spoil()
        inner.finish(reason, choice: choice)
    }

    mutating func usage(_ usage: TokenUsage) {
        guard goesOn() else { return }
        guard tokensBefore > 0 else { return inner.usage(usage) }
        var usage = usage
        // What the client has received, as if one upstream had told all of it. Some do not count a prefill.
        if usage.prompt > tokensBefore { usage.prompt -= tokensBefore }
        usage.completion += tokensBefore
        usage.total = usage.prompt + usage.completion
        usage.cached = usage.cached.map { min($0, usage.prompt) }
        inner.usage(usage)
    }

    mutating func end() { if goesOn() { inner.end() } }

    mutating func fail(_ failure: Failure) { inner.fail(failure) }

    /// Whether what comes is for the client. What comes before all is there that it knows, is another answer.
    private mutating func goesOn() -> Bool {
        if comparison != nil { hasDiverged = true }
        return !hasDiverged
    }
}
