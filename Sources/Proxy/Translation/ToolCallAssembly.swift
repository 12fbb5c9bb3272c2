/// Puts the tool calls of one streamed choice in order: OCI's streams number nothing (OCI wire notes, 4.3).
///
/// Grok sends whole calls with ids, the vLLM families an opening entry and then fragments without any, Gemini whole calls
/// without ids. A new id opens the next call, a known id continues its own; a name without an id opens one unless the open
/// call still lacks the rest of its arguments; an entry with neither continues the call that was opened last.
struct ToolCallAssembly: Sendable {
    private struct Call {
        let id: String
        /// The upstream named no id.
        let isInvented: Bool
        let name: ArraySlice<UInt8>
        /// What the client has got so far, escaped.
        var arguments: [UInt8]
    }

    /// What an entry came to.
    enum Step: Equatable {
        case taken
        /// It says nothing: neither a call nor a piece of one.
        case nothing
        /// More arguments for a call that the client has been told is over. Clients read one call after the other, so
        /// this cannot be passed on.
        case tooLate
    }

    private var calls: [Call] = []
    private var isOpen = false

    var isEmpty: Bool { calls.isEmpty }

    /// - Parameter function: where COHEREV2 has the name and the arguments of a call (OCI wire notes, 4.5).
    mutating func take(
        _ call: JSONValue, function: JSONValue? = nil, choice: Int, in envelope: ChunkEnvelope, into frames: inout [UInt8]
    ) -> Step {
        let function = function ?? call
        let id = call["id"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        let name = function["name"]?.rawString.flatMap { $0.isEmpty ? nil : $0 }
        let arguments = GenericFields.arguments(of: function)
        if opensCall(id: id, name: name) {
            closeOpenCall(choice: choice, in: envelope, into: &frames)
            let index = calls.count
            let callID = id ?? GenericFields.inventedCallID(answer: envelope.id, choice: choice, call: index)
            calls.append(Call(id: callID, isInvented: id == nil, name: name ?? [], arguments: Array(arguments)))
            isOpen = true
            envelope.toolCall(index, id: callID, name: name ?? [], arguments: arguments, choice: choice, into: &frames)
            return .taken
        }
        guard !arguments.isEmpty, !calls.isEmpty else { return .nothing }
        let index = id.flatMap { id in calls.firstIndex { $0.id == id } } ?? calls.count - 1
        // An event may restate a call that is there whole.
        if isRestated(arguments, of: index) { return .nothing }
        guard isOpen, index == calls.count - 1 else { return .tooLate }
        calls[index].arguments.append(contentsOf: arguments)
        envelope.arguments(arguments, of: index, choice: choice, into: &frames)
        return .taken
    }

    /// A call without arguments still has to deliver an empty object, once.
    mutating func closeOpenCall(choice: Int, in envelope: ChunkEnvelope, into frames: inout [UInt8]) {
        guard isOpen else { return }
        isOpen = false
        let index = calls.count - 1
        guard calls[index].arguments.isEmpty else { return }
        calls[index].arguments = Array("{}".utf8)
        envelope.arguments(calls[index].arguments[...], of: index, choice: choice, into: &frames)
    }

    private func isRestated(_ arguments: ArraySlice<UInt8>, of index: Int) -> Bool {
        let known = calls[index].arguments
        return known.count == arguments.count && known.elementsEqual(arguments) && Self.isWhole(known)
    }

    private func opensCall(id: String?, name: ArraySlice<UInt8>?) -> Bool {
        if let id { return !calls.contains { $0.id == id } }
        guard let name else { return false }
        guard isOpen, let last = calls.last, last.name.elementsEqual(name) else { return true }
        // The same name again: the next call of a family that sends whole calls, or a further piece of the open one.
        if last.arguments.isEmpty { return last.isInvented }
        return Self.isWhole(last.arguments)
    }

    private static func isWhole(_ escaped: [UInt8]) -> Bool {
        (try? JSONDocument(parsing: Array(JSONString.decode(escaped[...]).utf8))) != nil
    }
}
