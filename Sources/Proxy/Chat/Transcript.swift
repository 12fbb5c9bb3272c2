import ProxyRouting

/// What a model has said so far, choice by choice: kept beside the client's sink by who may have to ask somebody else to go on.
///
/// It has a bound, for a model may talk for hours. What is beyond is not kept, and `isWhole` says so.
struct Transcript: ChatEventSink {
    /// What one choice has said. All texts are escaped.
    struct Choice: Equatable {
        var text: [UInt8] = []
        var reasoning: [UInt8] = []
        var refusal: [UInt8] = []
        var calls: [Call] = []
        /// Once it is over.
        var reason: FinishReason?
    }

    struct Call: Equatable {
        var id: String
        var name: [UInt8]
        var arguments: [UInt8]
    }

    /// By the number of the choice.
    private(set) var choices: [Int: Choice] = [:]
    /// Nothing is missing.
    private(set) var isWhole = true
    private(set) var isComplete = false
    /// Bytes that may still be kept.
    private var capacity: Int

    /// - Parameter limit: bytes that are kept at most.
    init(limit: Int = 1 << 20) { capacity = limit }

    mutating func begin(choice: Int) { if choices[choice] == nil { choices[choice] = Choice() } }

    mutating func text(_ escaped: ArraySlice<UInt8>, logprobs: [UInt8]?, choice: Int) {
        keep(escaped, choice) { $0.text.append(contentsOf: escaped) }
    }

    mutating func reasoning(_ escaped: ArraySlice<UInt8>, choice: Int) {
        keep(escaped, choice) { $0.reasoning.append(contentsOf: escaped) }
    }

    mutating func refusal(_ escaped: ArraySlice<UInt8>, choice: Int) {
        keep(escaped, choice) { $0.refusal.append(contentsOf: escaped) }
    }

    mutating func toolCall(_ call: Int, id: String, name: ArraySlice<UInt8>, arguments: ArraySlice<UInt8>, choice: Int)
    {
        keep(name + arguments, choice) { $0.calls.append(Call(id: id, name: Array(name), arguments: Array(arguments))) }
    }

    mutating func arguments(_ escaped: ArraySlice<UInt8>, of call: Int, choice: Int) {
        keep(escaped, choice) {
            if $0.calls.indices.contains(call) { $0.calls[call].arguments.append(contentsOf: escaped) }
        }
    }

    mutating func finish(_ reason: FinishReason, choice: Int) { choices[choice, default: Choice()].reason = reason }

    mutating func usage(_ usage: TokenUsage) {}

    mutating func end() { isComplete = true }

    private mutating func keep(_ bytes: ArraySlice<UInt8>, _ choice: Int, _ body: (inout Choice) -> Void) {
        guard isWhole, bytes.count <= capacity else {
            isWhole = false
            return
        }
        capacity -= bytes.count
        body(&choices[choice, default: Choice()])
    }
}
