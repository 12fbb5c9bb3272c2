import ProxyRouting

/// Something that a model says, decoded. Of a chat with several choices (`n`), each event names its own, from 0.
public enum ChatEvent: Sendable, Equatable {
    /// A piece of the answer.
    case text(String, choice: Int = 0)
    /// A piece of what the model thinks before it answers.
    case reasoning(String, choice: Int = 0)
    /// A piece of the words by which the model refuses.
    case refusal(String, choice: Int = 0)
    /// A call of a function begins. `call` is its number in the choice, from 0; calls come one after the other.
    case toolCall(_ call: Int, id: String, name: String, choice: Int = 0)
    /// A piece of a call's arguments. All pieces of a call are one JSON document.
    case arguments(String, of: Int, choice: Int = 0)
    /// Nothing more comes of the choice.
    case finish(FinishReason, choice: Int = 0)
    /// What the chat has cost, once, where it was asked for.
    case usage(Usage)

    /// Why a choice ends.
    public enum FinishReason: String, Sendable {
        /// The model has said all.
        case stop
        /// The answer has as many tokens as were allowed.
        case length
        /// Functions are to be called.
        case toolCalls = "tool_calls"
        /// A filter has ended it.
        case contentFilter = "content_filter"
    }

    /// Tokens that a chat has cost.
    public struct Usage: Sendable, Equatable {
        public var prompt: Int
        public var completion: Int
        public var total: Int
        /// Those of `completion` that were reasoning, where the upstream says so.
        public var reasoning: Int?
        /// Those of `prompt` that came from a cache, where the upstream says so.
        public var cached: Int?

        public init(prompt: Int, completion: Int, total: Int, reasoning: Int? = nil, cached: Int? = nil) {
            self.prompt = prompt
            self.completion = completion
            self.total = total
            self.reasoning = reasoning
            self.cached = cached
        }
    }
}

/// Gathers what a model says as events.
struct ChatEventList: ChatEventSink {
    /// What has been said and not been taken.
    var events: [ChatEvent] = []

    mutating func begin(choice: Int) {}

    mutating func text(_ escaped: ArraySlice<UInt8>, logprobs: [UInt8]?, choice: Int) {
        if !escaped.isEmpty { events.append(.text(JSONString.decode(escaped), choice: choice)) }
    }

    mutating func reasoning(_ escaped: ArraySlice<UInt8>, choice: Int) {
        events.append(.reasoning(JSONString.decode(escaped), choice: choice))
    }

    mutating func refusal(_ escaped: ArraySlice<UInt8>, choice: Int) {
        events.append(.refusal(JSONString.decode(escaped), choice: choice))
    }

    mutating func toolCall(_ call: Int, id: String, name: ArraySlice<UInt8>, arguments: ArraySlice<UInt8>, choice: Int)
    {
        events.append(.toolCall(call, id: id, name: JSONString.decode(name), choice: choice))
        if !arguments.isEmpty { self.arguments(arguments, of: call, choice: choice) }
    }

    mutating func arguments(_ escaped: ArraySlice<UInt8>, of call: Int, choice: Int) {
        events.append(.arguments(JSONString.decode(escaped), of: call, choice: choice))
    }

    mutating func finish(_ reason: FinishReason, choice: Int) {
        events.append(.finish(ChatEvent.FinishReason(rawValue: reason.word) ?? .stop, choice: choice))
    }

    mutating func usage(_ usage: TokenUsage) {
        events.append(
            .usage(
                ChatEvent.Usage(
                    prompt: usage.prompt, completion: usage.completion, total: usage.total, reasoning: usage.reasoning,
                    cached: usage.cached)))
    }

    mutating func end() {}
}
