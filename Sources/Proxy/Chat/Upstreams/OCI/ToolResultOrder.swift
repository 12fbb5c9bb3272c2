/// Brings the results of tool calls behind their calls, in the calls' order.
///
/// OpenAI takes results in any order, and agents put other messages between; OCI wants each result behind the assistant
/// message that called, and Gemini wants calls and results in pairs (OCI wire notes, 5.3 and 5.6). A result that answers
/// no call of its turn stays where it is: the upstream's own complaint names it best.
enum ToolResultOrder {
    /// What to write next; the indices are those of the messages.
    enum Step: Equatable, Sendable {
        /// A message as it is.
        case whole(Int)
        /// A message with only the first of its calls.
        case firstCall(Int)
        /// Nothing but a further call of the message.
        case furtherCall(Int, call: Int)
    }

    static func arrange(_ messages: [ChatMessage], pairsToolCalls: Bool) -> [Step] {
        var steps: [Step] = []
        steps.reserveCapacity(messages.count)
        var index = 0
        while index < messages.count {
            guard !messages[index].toolCalls.isEmpty else {
                steps.append(.whole(index))
                index += 1
                continue
            }
            let turn = index + 1..<(messages[(index + 1)...].firstIndex { $0.role == .assistant } ?? messages.count)
            append(index, resultsIn: turn, of: messages, pairsToolCalls, to: &steps)
            index = turn.upperBound
        }
        return steps
    }

    /// One assistant message with calls, and all up to the next one.
    private static func append(
        _ assistant: Int, resultsIn turn: Range<Int>, of messages: [ChatMessage], _ pairsToolCalls: Bool,
        to steps: inout [Step]
    ) {
        // By id, last first, so that the first of several comes off the end.
        var results: [ArraySlice<UInt8>: [Int]] = [:]
        for index in turn.reversed() {
            if messages[index].role == .tool, let id = messages[index].toolCallID {
                results[id, default: []].append(index)
            }
        }
        let calls = messages[assistant].toolCalls
        let pairs = pairsToolCalls && calls.count > 1
        var taken: Set<Int> = []
        if !pairs { steps.append(.whole(assistant)) }
        for (number, call) in calls.enumerated() {
            if pairs { steps.append(number == 0 ? .firstCall(assistant) : .furtherCall(assistant, call: number)) }
            guard let result = results[call.id]?.popLast() else { continue }
            steps.append(.whole(result))
            taken.insert(result)
        }
        for index in turn where !taken.contains(index) { steps.append(.whole(index)) }
    }
}
