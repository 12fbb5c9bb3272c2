import ProxyRouting

/// What of a streamed answer has been told to its client, as long as that is nothing but text of its only choice: another upstream can then repeat it, or go on behind
/// it.
struct SentText: Equatable, Sendable {
    /// Bytes that are kept at most. An answer that has told more cannot be rescued.
    static let most = 64 << 10

    /// As it stands between the quotes of a JSON string.
    private(set) var escaped: [UInt8] = []
    /// Nothing else has been told, and not too much.
    private(set) var isWhole = true

    mutating func add(_ text: ArraySlice<UInt8>) {
        guard isWhole else { return }
        guard escaped.count + text.count <= Self.most else { return spoil() }
        escaped.append(contentsOf: text)
    }

    /// Something has been told that no other answer can be expected to repeat: reasoning, a call, a refusal, log probabilities, another choice.
    mutating func spoil() { self = SentText(isWhole: false) }

    init() {}

    private init(isWhole: Bool) { self.isWhole = isWhole }
}

/// Knows what a client has been told.
protocol SentTextKeeping {
    var sent: SentText { get }
    var clientSink: any ChatByteSink { get }
    /// How much it is.
    var told: TextMeter { get }
}

/// Tells a client's sink what it is told, and keeps the text, or how much it was.
struct SentTextSink<Inner: ChatByteSink>: ChatByteSink, SentTextKeeping {
    private(set) var inner: Inner
    private(set) var sent = SentText()
    private(set) var told: TextMeter

    /// - Parameters:
    ///   - keepsText: another upstream may have to go on behind it.
    ///   - meter: that counts from here on.
    init(_ inner: Inner, keepsText: Bool = true, meter: TextMeter = TextMeter()) {
        self.inner = inner
        told = meter
        if !keepsText { sent.spoil() }
    }

    var bytes: [UInt8] {
        get { inner.bytes }
        _modify { yield &inner.bytes }
    }

    mutating func dropBytes() { inner.dropBytes() }

    var clientSink: any ChatByteSink { inner }
    var tellsReasoning: Bool { inner.tellsReasoning }

    mutating func created(at seconds: Int) { inner.created(at: seconds) }

    mutating func begin(choice: Int) {
        if choice != 0 { sent.spoil() }
        inner.begin(choice: choice)
    }

    mutating func text(_ escaped: ArraySlice<UInt8>, logprobs: [UInt8]?, choice: Int) {
        if choice == 0, logprobs == nil { sent.add(escaped) } else { sent.spoil() }
        told.take(escaped)
        inner.text(escaped, logprobs: logprobs, choice: choice)
    }

    mutating func reasoning(_ escaped: ArraySlice<UInt8>, choice: Int) {
        if inner.tellsReasoning { sent.spoil() }
        told.take(escaped)
        inner.reasoning(escaped, choice: choice)
    }

    mutating func refusal(_ escaped: ArraySlice<UInt8>, choice: Int) {
        sent.spoil()
        told.take(escaped)
        inner.refusal(escaped, choice: choice)
    }

    mutating func toolCall(_ call: Int, id: String, name: ArraySlice<UInt8>, arguments: ArraySlice<UInt8>, choice: Int)
    {
        sent.spoil()
        told.take(name)
        told.take(arguments)
        inner.toolCall(call, id: id, name: name, arguments: arguments, choice: choice)
    }

    mutating func arguments(_ escaped: ArraySlice<UInt8>, of call: Int, choice: Int) {
        told.take(escaped)
        inner.arguments(escaped, of: call, choice: choice)
    }

    mutating func annotations(_ json: [UInt8], choice: Int) {
        sent.spoil()
        inner.annotations(json, choice: choice)
    }

    mutating func stopped(at text: ArraySlice<UInt8>, choice: Int) { inner.stopped(at: text, choice: choice) }

    /// An answer that has named its end is whole, or fails for good.
    mutating func finish(_ reason: FinishReason, choice: Int) {
        sent.spoil()
        inner.finish(reason, choice: choice)
    }

    mutating func usage(_ usage: TokenUsage) { inner.usage(usage) }
    mutating func end() { inner.end() }
    mutating func fail(_ failure: Failure) { inner.fail(failure) }
}
