import ProxyRouting

/// An OpenAI chat request as OCI's ChatDetails with a COHEREV2 chat request (OCI wire notes, 3.5).
///
/// What only tunes the answer and is not taken is left out or brought into range, as for GENERIC.
enum CohereV2RequestWriter {
    /// - Throws: `Failure` 400 that names the parameter, for what the client cannot do without and COHEREV2 does not have.
    static func translate(_ chat: ChatRequest, for target: ChatTarget) throws(Failure) -> CallDetails {
        let family = target.family
        return try CallDetails(for: target, in: .cohereV2) { writer throws(Failure) in
            try CohereV2Messages.write(chat.messages, family: family, to: &writer)
            try CohereTuning.write(chat, for: target, family: family, to: &writer)
            if chat.tuning.topLogprobs != nil {
                writer.key("isLogProbsEnabled")
                writer.bool(true)
            }
            if let effort = chat.tuning.reasoningEffort, !family.refuses.contains(.reasoningEffort) {
                write(effort: effort, to: &writer)
            }
            try write(chat.tools, chat.toolChoice, family: family, to: &writer)
        }
    }

    /// Thinking is on or off. Unknown words are left out.
    private static func write(effort: String, to writer: inout JSONWriter) {
        let type: StaticString
        switch effort.lowercased() {
        case "none": type = "DISABLED"
        case "minimal", "low", "medium", "high", "xhigh", "max": type = "ENABLED"
        default: return
        }
        writer.key("thinking")
        writer.beginObject()
        writer.key("type")
        writer.string(literal: type)
        writer.endObject()
    }

    private static func write(
        _ tools: [ChatTool], _ choice: ChatRequest.ToolChoice?, family: ModelFamily, to writer: inout JSONWriter
    ) throws(Failure) {
        guard !tools.isEmpty else { return }
        writer.key("tools")
        writer.beginArray()
        for (index, tool) in tools.enumerated() {
            // A function cannot be named: it is the only one to choose from.
            if case .function(let name) = choice, tool.name != name { continue }
            writer.beginObject()
            writer.key("type")
            writer.string(literal: "FUNCTION")
            writer.key("function")
            writer.beginObject()
            try GenericRequestWriter.writeMembers(of: tool, at: index, family: family, to: &writer)
            writer.endObject()
            writer.endObject()
        }
        writer.endArray()
        switch choice {
        case nil, .auto: break
        case .some(.none):
            writer.key("toolsChoice")
            writer.string(literal: "NONE")
        case .required, .function:
            writer.key("toolsChoice")
            writer.string(literal: "REQUIRED")
        }
    }
}
