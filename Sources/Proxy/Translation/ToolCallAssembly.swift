/// Puts the tool calls of one streamed choice in order: OCI's streams number nothing (OCI wire notes, 4.3).
///
/// Grok sends whole calls with ids, the vLLM families an opening entry and then fragments without any, Gemini whole calls
/// without ids. A new id opens the next call, a known id continues its own; a name without an id opens one unless the open
/// call still lacks the rest of its arguments; an entry with neither continues the call that was opened last.
struct ToolCallAssembly: Sendable {
    private var ids: [String] = []
    /// The arguments of the open call so far, escaped; nil when no call is open.
    private var openArguments: [UInt8]?

    var isEmpty: Bool { ids.isEmpty }

    mutating func take(_ call: JSONValue, choice: Int, in envelope: ChunkEnvelope, into frames: inout [UInt8]) {
        let id = call["id"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        let name = call["name"]?.rawString.flatMap { $0.isEmpty ? nil : $0 }
        let arguments = call["arguments"]?.rawString ?? []
        if opensCall(id: id, hasName: name != nil) {
            closeOpenCall(choice: choice, in: envelope, into: &frames)
            let index = ids.count
            ids.append(id ?? GenericFields.inventedCallID(answer: envelope.id, choice: choice, call: index))
            openArguments = Array(arguments)
            envelope.toolCall(index, id: ids[index], name: name ?? [], arguments: arguments, choice: choice, into: &frames)
        } else if !arguments.isEmpty, !ids.isEmpty {
            // A fragment for an earlier call than the last would interleave them; no family does that.
            let index = id.flatMap(ids.firstIndex(of:)) ?? ids.count - 1
            if index == ids.count - 1 { openArguments?.append(contentsOf: arguments) }
            envelope.arguments(arguments, of: index, choice: choice, into: &frames)
        }
    }

    /// A call without arguments still has to deliver an empty object, once.
    mutating func closeOpenCall(choice: Int, in envelope: ChunkEnvelope, into frames: inout [UInt8]) {
        guard let arguments = openArguments else { return }
        openArguments = nil
        if arguments.isEmpty { envelope.arguments(Array("{}".utf8)[...], of: ids.count - 1, choice: choice, into: &frames) }
    }

    private func opensCall(id: String?, hasName: Bool) -> Bool {
        if let id { return !ids.contains(id) }
        guard hasName else { return false }
        guard let openArguments else { return true }
        return openArguments.isEmpty ? false : Self.isWhole(openArguments)
    }

    private static func isWhole(_ escaped: [UInt8]) -> Bool {
        (try? JSONDocument(parsing: Array(JSONString.decode(escaped[...]).utf8))) != nil
    }
}
