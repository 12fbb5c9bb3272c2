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
    let toolCalls: [ToolCall]
    /// Of a tool's result, escaped.
    let toolCallID: ArraySlice<UInt8>?

    /// A call in an assistant's history; all three escaped.
    struct ToolCall: Sendable {
        let id: ArraySlice<UInt8>
        let name: ArraySlice<UInt8>
        /// JSON as the content of a string.
        let arguments: ArraySlice<UInt8>
    }

    init(_ field: RequestField) throws(APIError) {
        let message = try field.object()
        guard let role = message.member("role") else { throw field.invalid("has no 'role'.") }
        self.role = try Self.role(role)
        content = try message.member("content").map { field throws(APIError) in try ContentPart.list(field) } ?? []
        name = message.value.present("name")?.rawString
        toolCalls = self.role == .assistant ? try Self.calls(message.member("tool_calls")) : []
        refusal = self.role == .assistant ? message.value["refusal"]?.rawString : nil
        if toolCalls.isEmpty, self.role == .assistant, let old = message.member("function_call") {
            throw old.invalid("is the old form of a tool call, which is not served here; send 'tool_calls'.", code: "unsupported_parameter")
        }
        toolCallID = try message.member("tool_call_id")?.rawString()
        if self.role == .tool, toolCallID == nil { throw field.invalid("has no 'tool_call_id': it must name the call that it answers.") }
    }

    private static func role(_ field: RequestField) throws(APIError) -> Role {
        let role = field.value
        guard role.kind == .string else { throw field.wrongType("a string") }
        if role.equals("user") { return .user }
        if role.equals("assistant") { return .assistant }
        if role.equals("tool") || role.equals("function") { return .tool }
        if role.equals("system") { return .system }
        guard role.equals("developer") else { throw field.invalid("must be system, developer, user, assistant or tool.") }
        return .developer
    }

    private static func calls(_ field: RequestField?) throws(APIError) -> [ToolCall] {
        guard let field else { return [] }
        var calls: [ToolCall] = []
        for call in try field.elements() {
            guard let id = try call.object().member("id") else { throw call.invalid("has no 'id'.") }
            guard let function = call.member("function"), let name = try function.object().member("name") else {
                throw call.invalid("is not a function call with a name; no other kind is served here.")
            }
            calls.append(ToolCall(id: try id.rawString(), name: try name.rawString(), arguments: arguments(function.member("arguments"))))
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
