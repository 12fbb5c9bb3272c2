import ProxyRouting

/// One message of a chat, whatever form its sender gave it.
struct ChatMessage: Sendable {
    enum Role: Equatable, Sendable { case system, developer, user, assistant, tool }

    let role: Role
    /// Empty when there is no content, or only what cannot be passed on.
    let content: [ContentPart]
    /// Escaped.
    let name: ArraySlice<UInt8>?
    /// Why an assistant would not answer, escaped.
    let refusal: ArraySlice<UInt8>?
    /// Of an assistant.
    private(set) var toolCalls: [ToolCall]
    /// Of a tool's result, escaped.
    private(set) var toolCallID: ArraySlice<UInt8>?

    /// A call in an assistant's history; all three escaped.
    struct ToolCall: Sendable {
        fileprivate(set) var id: ArraySlice<UInt8>
        let name: ArraySlice<UInt8>
        /// JSON as the content of a string.
        let arguments: ArraySlice<UInt8>
    }

    init(_ field: RequestField) throws(Failure) {
        let message = try field.object()
        guard let role = message.member("role") else { throw field.invalid("has no 'role'.") }
        self.role = try Self.role(role)
        content = try message.member("content").map { field throws(Failure) in try ContentPart.list(field) } ?? []
        name = message.value.present("name")?.rawString
        toolCalls = self.role == .assistant ? try Self.calls(message.member("tool_calls")) : []
        refusal = self.role == .assistant ? message.value["refusal"]?.rawString : nil
        if toolCalls.isEmpty, self.role == .assistant, let old = message.member("function_call") {
            throw old.invalid(
                "is the deprecated form of a tool call, which is not supported; send 'tool_calls'.",
                as: .unsupportedParameter)
        }
        toolCallID = try message.member("tool_call_id")?.rawString()
        if self.role == .tool, toolCallID == nil {
            throw field.invalid("has no 'tool_call_id'; set it to the id of the tool call.")
        }
    }

    private static func role(_ field: RequestField) throws(Failure) -> Role {
        let role = field.value
        guard role.kind == .string else { throw field.wrongType("a string") }
        if role.equals("user") { return .user }
        if role.equals("assistant") { return .assistant }
        if role.equals("tool") || role.equals("function") { return .tool }
        if role.equals("system") { return .system }
        guard role.equals("developer") else {
            throw field.invalid("must be system, developer, user, assistant or tool.")
        }
        return .developer
    }

    private static func calls(_ field: RequestField?) throws(Failure) -> [ToolCall] {
        guard let field else { return [] }
        var calls: [ToolCall] = []
        for call in try field.elements() {
            guard let id = try call.object().member("id") else { throw call.invalid("has no 'id'.") }
            guard let function = call.member("function"), let name = try function.object().member("name") else {
                throw call.invalid("is not a function call with a name; other kinds are not supported.")
            }
            calls.append(
                ToolCall(
                    id: try id.rawString(), name: try name.rawString(),
                    arguments: arguments(function.member("arguments"))))
        }
        return calls
    }

    /// A JSON text; some senders write the object itself.
    private static func arguments(_ field: RequestField?) -> ArraySlice<UInt8> {
        guard let field else { return Array("{}".utf8)[...] }
        if let text = field.value.rawString { return text.isEmpty ? Array("{}".utf8)[...] : text }
        var escaped: [UInt8] = []
        JSONString.append(String(decoding: field.value.raw, as: UTF8.self), to: &escaped)
        return escaped[...]
    }
}

extension ChatMessage {
    /// Gives each call of a turn an id of its own where several share one or have none, as they do when another upstream has made them so. The n-th result
    /// with an id belongs to the n-th call with it.
    static func separateCalls(in messages: inout [ChatMessage]) {
        for index in messages.indices where messages[index].hasSharedIDs {
            let calls = messages[index].separateCalls(in: index)
            // By id, last first, so that the first of several comes off the end.
            var ids = Dictionary(grouping: calls.reversed(), by: \.told).mapValues { $0.map(\.given) }
            for place in messages[(index + 1)...].indices {
                guard messages[place].role != .assistant else { break }
                guard let told = messages[place].toolCallID, let given = ids[told]?.popLast() else { continue }
                messages[place].toolCallID = given
            }
        }
    }

    private var hasSharedIDs: Bool {
        guard toolCalls.count > 1 else { return toolCalls.first?.id.isEmpty == true }
        var known: Set<ArraySlice<UInt8>> = []
        return toolCalls.contains { $0.id.isEmpty || !known.insert($0.id).inserted }
    }

    /// - Returns: the id of each call, before and after.
    private mutating func separateCalls(in message: Int) -> [(told: ArraySlice<UInt8>, given: ArraySlice<UInt8>)] {
        var known = Set(toolCalls.map(\.id))
        var seen: Set<ArraySlice<UInt8>> = []
        var ids: [(told: ArraySlice<UInt8>, given: ArraySlice<UInt8>)] = []
        for number in toolCalls.indices {
            let told = toolCalls[number].id
            if told.isEmpty || !seen.insert(told).inserted {
                var given = Array("call_\(message)_\(number)".utf8)[...]
                while !known.insert(given).inserted { given.append(UInt8(ascii: "x")) }
                toolCalls[number].id = given
            }
            ids.append((told, toolCalls[number].id))
        }
        return ids
    }
}
