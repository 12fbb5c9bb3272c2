import ProxyRouting

/// Takes down what an answer costs and how much it tells, beside another sink or alone.
struct UsageMeter: ChatEventSink {
    /// The token counts, once they have been told.
    private(set) var total: TokenUsage?
    /// The answer has been told to its end.
    private(set) var isComplete = false
    private(set) var told: TextMeter

    init(_ told: TextMeter = TextMeter()) { self.told = told }

    mutating func begin(choice: Int) {}
    mutating func text(_ escaped: ArraySlice<UInt8>, logprobs: [UInt8]?, choice: Int) { told.take(escaped) }
    mutating func reasoning(_ escaped: ArraySlice<UInt8>, choice: Int) { told.take(escaped) }
    mutating func refusal(_ escaped: ArraySlice<UInt8>, choice: Int) { told.take(escaped) }
    mutating func toolCall(_ call: Int, id: String, name: ArraySlice<UInt8>, arguments: ArraySlice<UInt8>, choice: Int)
    {
        told.take(name)
        told.take(arguments)
    }
    mutating func arguments(_ escaped: ArraySlice<UInt8>, of call: Int, choice: Int) { told.take(escaped) }
    mutating func finish(_ reason: FinishReason, choice: Int) {}
    mutating func usage(_ usage: TokenUsage) { total = usage }
    mutating func end() { isComplete = true }
}
