import ProxyRouting

/// Tells two sinks the same, the first one first.
struct PairedSinks<First: ChatEventSink, Second: ChatEventSink>: ChatEventSink {
    var first: First
    var second: Second

    init(_ first: First, _ second: Second) {
        self.first = first
        self.second = second
    }

    mutating func created(at seconds: Int) {
        first.created(at: seconds)
        second.created(at: seconds)
    }

    mutating func begin(choice: Int) {
        first.begin(choice: choice)
        second.begin(choice: choice)
    }

    mutating func text(_ escaped: ArraySlice<UInt8>, logprobs: [UInt8]?, choice: Int) {
        first.text(escaped, logprobs: logprobs, choice: choice)
        second.text(escaped, logprobs: logprobs, choice: choice)
    }

    mutating func reasoning(_ escaped: ArraySlice<UInt8>, choice: Int) {
        first.reasoning(escaped, choice: choice)
        second.reasoning(escaped, choice: choice)
    }

    mutating func refusal(_ escaped: ArraySlice<UInt8>, choice: Int) {
        first.refusal(escaped, choice: choice)
        second.refusal(escaped, choice: choice)
    }

    mutating func toolCall(_ call: Int, id: String, name: ArraySlice<UInt8>, arguments: ArraySlice<UInt8>, choice: Int)
    {
        first.toolCall(call, id: id, name: name, arguments: arguments, choice: choice)
        second.toolCall(call, id: id, name: name, arguments: arguments, choice: choice)
    }

    mutating func arguments(_ escaped: ArraySlice<UInt8>, of call: Int, choice: Int) {
        first.arguments(escaped, of: call, choice: choice)
        second.arguments(escaped, of: call, choice: choice)
    }

    mutating func annotations(_ json: [UInt8], choice: Int) {
        first.annotations(json, choice: choice)
        second.annotations(json, choice: choice)
    }

    mutating func stopped(at text: ArraySlice<UInt8>, choice: Int) {
        first.stopped(at: text, choice: choice)
        second.stopped(at: text, choice: choice)
    }

    mutating func finish(_ reason: FinishReason, choice: Int) {
        first.finish(reason, choice: choice)
        second.finish(reason, choice: choice)
    }

    mutating func usage(_ usage: TokenUsage) {
        first.usage(usage)
        second.usage(usage)
    }

    mutating func end() {
        first.end()
        second.end()
    }
}

extension PairedSinks: ChatByteSink where First: ChatByteSink {
    var bytes: [UInt8] {
        get { first.bytes }
        _modify { yield &first.bytes }
    }

    mutating func dropBytes() { first.dropBytes() }

    mutating func fail(_ failure: Failure) { first.fail(failure) }
}
