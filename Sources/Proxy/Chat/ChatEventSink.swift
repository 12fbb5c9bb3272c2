import ProxyRouting

/// Takes what a model says, in order: the writer of a client's bytes, or somebody who listens beside it.
///
/// Texts are the inside of JSON strings, escapes untouched: all dialects are JSON, so nothing is decoded on the way. What is passed in is valid during the call
/// only, unless it is kept as the slice that it is.
protocol ChatEventSink {
    /// When the upstream has made the answer: seconds since 1970. Not all say so.
    mutating func created(at seconds: Int)

    /// The first of a choice; once for each, before anything else of it.
    mutating func begin(choice: Int)

    /// - Parameter logprobs: of this piece, an object in OpenAI's form. The text may be empty where there is nothing but them.
    mutating func text(_ escaped: ArraySlice<UInt8>, logprobs: [UInt8]?, choice: Int)
    mutating func reasoning(_ escaped: ArraySlice<UInt8>, choice: Int)
    mutating func refusal(_ escaped: ArraySlice<UInt8>, choice: Int)

    /// A tool call begins. Calls come one after the other: nothing of an earlier one follows.
    ///
    /// - Parameters:
    ///   - call: its number in the choice, from 0.
    ///   - arguments: the first of them; a call without any gets `{}` before it ends.
    mutating func toolCall(_ call: Int, id: String, name: ArraySlice<UInt8>, arguments: ArraySlice<UInt8>, choice: Int)

    /// More arguments of the call that began last.
    mutating func arguments(_ escaped: ArraySlice<UInt8>, of call: Int, choice: Int)

    /// Where the text is from: an array in OpenAI's form. Only whole answers have it.
    mutating func annotations(_ json: [UInt8], choice: Int)

    /// The text of the client's at which a choice has ended, escaped; before its finish. Few upstreams tell.
    mutating func stopped(at text: ArraySlice<UInt8>, choice: Int)

    /// Once for each choice, when nothing more of it can come.
    mutating func finish(_ reason: FinishReason, choice: Int)

    /// Once at most, before the end.
    mutating func usage(_ usage: TokenUsage)

    /// The answer is complete.
    mutating func end()
}

extension ChatEventSink {
    mutating func created(at seconds: Int) {}
    mutating func annotations(_ json: [UInt8], choice: Int) {}
    mutating func stopped(at text: ArraySlice<UInt8>, choice: Int) {}
}

/// A sink that writes what a client gets as a stream.
protocol ChatByteSink: ChatEventSink {
    /// What has been written and not taken yet.
    var bytes: [UInt8] { get set }

    /// What has been written has been taken. A function of its own: to change `bytes` through several layers costs an allocation for each.
    mutating func dropBytes()

    /// The client is shown what the model thinks.
    var tellsReasoning: Bool { get }

    /// The answer ends here, with a failure in place of its end.
    mutating func fail(_ failure: Failure)
}

extension ChatByteSink {
    mutating func dropBytes() { bytes.removeMost() }

    var tellsReasoning: Bool { true }
}

extension [UInt8] {
    /// Removes all. Room for the first events of a stream, which may be long, is not kept for the short ones that follow.
    mutating func removeMost() { removeAll(keepingCapacity: count >= capacity / 4) }
}
