import ProxyRouting

/// What the client has asked for and the model cannot do, and what is therefore done to its answer here.
struct ResponseRules: Equatable, Sendable {
    /// Texts that end an answer, in UTF-8; for a model that refuses `stop`.
    var stops: [[UInt8]] = []
    /// `parallel_tool_calls` is false, and the model cannot be told so: only the first call goes on.
    var hasOneCall = false
    /// The client has named texts that end the answer: one may be the first that the model says.
    var mayBeEmpty = false
    /// The client takes silence for an answer whatever has been counted.
    var takesSilence = false

    /// Whether an answer with the usual end and nothing in it is one: the model has said something, and it was a text that ends the answer.
    func allowsSilence(_ usage: TokenUsage?) -> Bool {
        takesSilence || mayBeEmpty && usage?.hasAnswer == true
    }

    /// OpenAI takes four; each costs a step for every byte of the answer.
    private static let mostStops = 16

    init() {}

    init(_ chat: ChatRequest, in format: APIFormat, for family: ModelFamily) {
        if format == .generic, family.refuses.contains(.stop) {
            stops = chat.tuning.stop.prefix(Self.mostStops).map { Array(JSONString.decode($0).utf8) }.filter {
                !$0.isEmpty
            }
        }
        mayBeEmpty = !chat.tuning.stop.isEmpty
        hasOneCall =
            chat.tuning.parallelToolCalls == false
            && (format != .generic || family.refuses.contains(.parallelToolCalls))
    }
}
