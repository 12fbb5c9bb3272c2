import ProxyRouting

/// The messages, tools and settings of one Messages request, on their way into a chat.
struct MessagesReader {
    private let root: RequestField
    private let seal: ReasoningSeal
    private var draft = ChatDraft()
    /// Reasoning that was sealed here is in it, which nobody else can read.
    private(set) var isOwn = false
    /// Tools that were deferred and have been loaded since, and such that have been taken away.
    private var loaded: Set<String> = []
    private var removed: Set<String> = []
    private var calls: Set<ArraySlice<UInt8>> = []
    private var effort: JSONValue?
    /// The place of the last message in which a user speaks, and not only tools.
    private var lastUsersWord = -1

    init(_ root: RequestField, unsealing seal: ReasoningSeal) {
        self.root = root
        self.seal = seal
    }

    /// - Parameter isCounting: only the tokens are asked for.
    mutating func draft(isCounting: Bool) throws(Failure) -> ChatDraft {
        try refuseWhatNeedsAServer()
        try readSystem()
        effort = root.member("output_config")?.value.present("effort")
        let messages = try root.member("messages")?.elements() ?? []
        guard !messages.isEmpty else {
            throw .invalidRequest("messages: at least one message is required", field: "messages", as: .missing)
        }
        lastUsersWord = messages.lastIndex(where: Self.isUsersWord) ?? -1
        for (index, message) in messages.enumerated() { try read(message, at: index) }
        guard !draft.messages.isEmpty else {
            throw .invalidRequest(
                "messages: there is nothing in them that this model could be shown.", field: "messages")
        }
        try draft.pairResults()
        try readTools()
        try readSettings()
        return draft
    }

    private func refuseWhatNeedsAServer() throws(Failure) {
        if root.member("thread") != nil {
            // The official SDK sends everything by itself when it reads that code.
            var failure = Failure.invalidRequest(
                "thread: this proxy keeps no conversations; send all messages.", field: "thread",
                as: .unsupportedParameter)
            failure.said = .init(code: "thread_unsupported_request")
            throw failure
        }
        for name in ["mcp_servers", "compaction"] as [StaticString] {
            guard let field = root.member(name), field.value.kind != .array || !field.value.isHollow else { continue }
            throw .invalidRequest(
                "\(name): this proxy does not do that itself; remove it from the request.", field: "\(name)",
                as: .unsupportedParameter)
        }
    }

    // MARK: Messages

    private mutating func readSystem() throws(Failure) {
        guard let system = root.member("system") else { return }
        var texts: [ChatDraft.Part] = []
        if let text = system.value.rawString {
            let text = Self.withoutBilling(text)
            texts = text.isEmpty ? [] : [.text([text])]
        } else {
            for block in try system.elements() {
                guard let text = block.member("text")?.value.rawString.map(Self.withoutBilling), !text.isEmpty else {
                    continue
                }
                texts.append(.text([text]))
            }
        }
        if !texts.isEmpty { draft.messages.append(.init(role: .system, parts: texts, source: system.value)) }
    }

    /// Without the line that Claude Code begins with for Anthropic's accounts: it changes with each build, and spoils every other model's prefix cache.
    ///
    /// - Parameter text: escaped.
    private static func withoutBilling(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard text.starts(with: "x-anthropic-billing-header:".utf8) else { return text }
        var rest = text
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.popFirst() == UInt8(ascii: "n") { return rest }
        }
        return rest
    }

    /// The blocks of a content: a string is one text.
    private static func blocks(_ content: RequestField?) throws(Failure) -> [RequestField] {
        guard let content else { return [] }
        if content.value.kind == .string { return [content] }
        guard content.value.kind == .array else { throw content.wrongType("a string or an array of blocks") }
        return content.value.elements.map { RequestField($0) }
    }

    /// The text of a block, escaped; nil when it is of another kind.
    private static func text(of block: RequestField) -> ArraySlice<UInt8>? {
        if let text = block.value.rawString { return text }
        return block.value["type"]?.equals("text") == true ? block.value["text"]?.rawString ?? [] : nil
    }

    private mutating func read(_ message: RequestField, at index: Int) throws(Failure) {
        guard let role = try message.object().member("role") else { throw message.invalid("has no 'role'.") }
        let blocks = try Self.blocks(message.member("content"))
        switch try role.string() {
        case "system", "developer": readSystem(message, blocks, at: index)
        case "assistant": try readAssistant(message, blocks)
        case "user": try readUser(message, blocks)
        default: throw role.invalid("must be user, assistant or system.")
        }
    }

    private mutating func readSystem(_ message: RequestField, _ blocks: [RequestField], at index: Int) {
        if let said = message.member("output_config")?.value.present("effort") { effort = said }
        for block in blocks {
            guard let name = block.value["tool"]?["name"]?.string ?? block.value["tool"]?["tool_name"]?.string else {
                continue
            }
            if block.value["type"]?.equals("tool_addition") == true {
                loaded.insert(name)
                removed.remove(name)
            } else if block.value["type"]?.equals("tool_removal") == true {
                removed.insert(name)
                loaded.remove(name)
            }
        }
        let isOver = lastUsersWord > index && message.value["clear_at"]?.equals("next_user_message") == true
        guard !isOver else { return }
        let texts = blocks.compactMap(Self.text).filter { !$0.isEmpty }.map { ChatDraft.Part.text([$0]) }
        if !texts.isEmpty { draft.messages.append(.init(role: .system, parts: texts, source: message.value)) }
    }

    /// A user has spoken, and not only tools.
    private static func isUsersWord(_ message: RequestField) -> Bool {
        guard message.value["role"]?.equals("user") == true else { return false }
        guard let content = message.value["content"], content.kind == .array else { return true }
        return content.isHollow || content.elements.contains { $0["type"]?.equals("tool_result") != true }
    }

    private mutating func readAssistant(_ message: RequestField, _ blocks: [RequestField]) throws(Failure) {
        var texts: [ChatDraft.Part] = []
        var thoughts: [ArraySlice<UInt8>] = []
        var said: [ChatDraft.Call] = []
        for block in blocks {
            if let text = Self.text(of: block) {
                if !text.isEmpty { texts.append(.text([text])) }
            } else if block.value["type"]?.equals("thinking") == true {
                if let thought = thought(in: block.value) { thoughts.append(thought) }
            } else if block.value["type"]?.equals("tool_use") == true {
                said.append(try Self.call(block))
            }
            // The others are records of tools that ran at Anthropic, or sealed by it: no other model can use them.
        }
        guard !texts.isEmpty || !said.isEmpty else { return }
        for call in said { calls.insert(call.id) }
        draft.assistant(message.value) {
            $0.parts += texts
            $0.calls += said
            $0.reasoning += thoughts
        }
    }

    /// What the model thought, as the client shows it or as it was sealed here.
    private mutating func thought(in block: JSONValue) -> ArraySlice<UInt8>? {
        let sealed = block["signature"]?.rawString.flatMap { seal.open($0) }
        if sealed != nil { isOwn = true }
        if let shown = block["thinking"]?.rawString, !shown.isEmpty { return shown }
        guard let sealed, !sealed.isEmpty else { return nil }
        return sealed[...]
    }

    private static func call(_ block: RequestField) throws(Failure) -> ChatDraft.Call {
        guard let id = block.member("id") else { throw block.invalid("has no 'id'.") }
        guard let name = block.member("name") else { throw block.invalid("has no 'name'.") }
        let input = block.member("input").map { ChatDraft.escaped(json: $0.value.raw) } ?? Array("{}".utf8)[...]
        return ChatDraft.Call(id: try id.rawString(), name: try name.rawString(), arguments: input)
    }

    private mutating func readUser(_ message: RequestField, _ blocks: [RequestField]) throws(Failure) {
        var (strays, rest): ([ChatDraft.Part], [ChatDraft.Part]) = ([], [])
        var attachments: [ChatDraft.Part] = []
        for block in blocks {
            guard block.value["type"]?.equals("tool_result") == true else {
                rest += try Self.parts(block)
                continue
            }
            let (text, others) = try result(block)
            attachments += others
            guard let id = block.member("tool_use_id") else { throw block.invalid("has no 'tool_use_id'.") }
            let callID = try id.rawString()
            if calls.contains(callID) {
                draft.messages.append(
                    .init(role: .tool, parts: [.text(text)], callID: callID, source: block.value))
            } else {
                strays.append(.text(text))
            }
        }
        let parts = (attachments.isEmpty ? [] : [ChatDraft.attachmentsTitle] + attachments) + strays + rest
        if !parts.isEmpty { draft.messages.append(.init(role: .user, parts: parts, source: message.value)) }
    }

    /// - Returns: its text, in pieces, and what else is in it.
    private mutating func result(_ block: RequestField) throws(Failure) -> ([ArraySlice<UInt8>], [ChatDraft.Part]) {
        var lines: [[ArraySlice<UInt8>]] = []
        var others: [ChatDraft.Part] = []
        for inner in try Self.blocks(block.member("content")) {
            if inner.value["type"]?.equals("tool_reference") == true {
                guard let name = inner.value["tool_name"] else { continue }
                if let name = name.string { loaded.insert(name) }
                lines.append([
                    ChatDraft.escaped("Tool "), name.rawString ?? [], ChatDraft.escaped(" is available now."),
                ])
                continue
            }
            for part in try Self.parts(inner) {
                if case .text(let pieces) = part { lines.append(pieces) } else { others.append(part) }
            }
        }
        var text = ChatDraft.result(lines: lines, attachments: others.count)
        if block.value["is_error"]?.bool == true {
            text = text.isEmpty ? [ChatDraft.escaped("Error")] : [ChatDraft.escaped("Error: ")] + text
        }
        return (text, others)
    }

    // MARK: Parts

    private static func parts(_ block: RequestField) throws(Failure) -> [ChatDraft.Part] {
        if let text = text(of: block) { return [.text([text])] }
        guard let type = try block.object().member("type") else { throw block.invalid("has no 'type'.") }
        switch try type.string() {
        case "image": return [ChatDraft.image(try url(try source(of: block)))]
        case "document": return try document(block)
        case "search_result":
            var texts: [ChatDraft.Part] = []
            for inner in try blocks(block.member("content")) {
                if let text = self.text(of: inner) { texts.append(.text([text])) }
            }
            var pieces = [
                ChatDraft.escaped("["), block.value["title"]?.rawString ?? [], ChatDraft.escaped("]("),
                block.value["source"]?.rawString ?? [], ChatDraft.escaped(")\n"),
            ]
            for (index, part) in texts.enumerated() {
                if index > 0 { pieces.append(ChatDraft.joint) }
                if case .text(let text) = part { pieces += text }
            }
            return [.text(pieces)]
        // What nobody here knows, or what ran at Anthropic.
        default: return []
        }
    }

    private static func source(of block: RequestField) throws(Failure) -> RequestField {
        guard let source = block.member("source") else { throw block.invalid("has no 'source'.") }
        return try source.object()
    }

    /// Of an image or a file, escaped, in pieces.
    private static func url(_ source: RequestField) throws(Failure) -> [ArraySlice<UInt8>] {
        let type = try source.member("type")?.string() ?? ""
        switch type {
        case "base64":
            guard let media = source.member("media_type"), let data = source.member("data") else {
                throw source.invalid("has no 'media_type' or no 'data'.")
            }
            return [
                ChatDraft.escaped("data:"), try media.rawString(), ChatDraft.escaped(";base64,"), try data.rawString(),
            ]
        case "url":
            guard let url = source.member("url") else { throw source.invalid("has no 'url'.") }
            return [try url.rawString()]
        default:
            throw source.invalid(
                "of type '\(type.quotable)' is not supported by this proxy, which has no file store; send base64.",
                as: .unsupportedContent)
        }
    }

    private static func document(_ block: RequestField) throws(Failure) -> [ChatDraft.Part] {
        let source = try source(of: block)
        let title = block.member("title")?.value.raw
        var head = [ChatDraft.escaped("<document")]
        if let title { head += [ChatDraft.escaped(" title="), ChatDraft.escaped(json: title)] }
        head.append(ChatDraft.escaped(">\n"))
        switch try source.member("type")?.string() ?? "" {
        case "text":
            guard let data = source.member("data") else { throw source.invalid("has no 'data'.") }
            return [.text(head + [try data.rawString(), ChatDraft.escaped("\n</document>")])]
        case "content":
            var parts: [ChatDraft.Part] = [.text(head)]
            for inner in try blocks(source.member("content")) { parts += try Self.parts(inner) }
            return parts + [.text([ChatDraft.escaped("</document>")])]
        case "base64":
            let name = block.member("title")?.value.rawString ?? Array("document.pdf".utf8)[...]
            return [ChatDraft.file(named: name, try url(source))]
        case let type:
            throw source.invalid(
                "of type '\(type.quotable)' is not supported by this proxy, which has no file store; send base64 or text.",
                as: .unsupportedContent)
        }
    }

    // MARK: Tools

    private mutating func readTools() throws(Failure) {
        guard let tools = try root.member("tools")?.elements(), !tools.isEmpty else { return }
        var written: [[UInt8]] = []
        var refused: (field: RequestField, type: String)?
        for tool in tools {
            let type = try tool.object().member("type")
            let kind = try type?.string() ?? "custom"
            guard let name = tool.member("name") else {
                // A set of tools that runs elsewhere may have none.
                if kind != "custom" {
                    refused = refused ?? (type ?? tool, kind)
                    continue
                }
                throw tool.invalid("has no 'name'.")
            }
            if kind == "custom" {
                let known = try name.string()
                if tool.value["defer_loading"]?.bool == true, !loaded.contains(known) { continue }
                if removed.contains(known) { continue }
                written.append(try Self.function(tool, named: try name.rawString()))
            } else if let schema = MessagesClientTools.function(of: kind) {
                var writer = JSONWriter(capacity: 512)
                writer.beginFunction(named: try name.rawString())
                writer.members(Array(schema.utf8))
                writer.endFunction()
                written.append(writer.bytes)
            } else {
                refused = refused ?? (type ?? tool, kind)
            }
        }
        guard !written.isEmpty else {
            if let refused {
                throw .invalidRequest(
                    "\(refused.field.path): Input tag '\(refused.type.quotable)' names a tool that runs at Anthropic and is not available for this model.",
                    field: refused.field.path, as: .unsupportedParameter)
            }
            return
        }
        draft.set("tools", JSONWriter.array(of: written))
        try readToolChoice()
    }

    private static func function(_ tool: RequestField, named name: ArraySlice<UInt8>) throws(Failure) -> [UInt8] {
        var writer = JSONWriter(capacity: 1024)
        writer.beginFunction(named: name)
        if let description = tool.member("description")?.value, description.isEmptyString == false {
            writer.key("description")
            writer.raw(description.raw)
        }
        guard let schema = tool.member("input_schema") else { throw tool.invalid("has no 'input_schema'.") }
        writer.key("parameters")
        writer.beginObject()
        for (key, value) in try schema.object().value.members where !key.equals("$schema") {
            writer.memberName(key)
            writer.raw(value.raw)
        }
        writer.endObject()
        if tool.value["strict"]?.bool == true {
            writer.key("strict")
            writer.bool(true)
        }
        writer.endFunction()
        return writer.bytes
    }

    private mutating func readToolChoice() throws(Failure) {
        guard let choice = root.member("tool_choice") else { return }
        switch try choice.object().member("type")?.string() ?? "auto" {
        case "auto": draft.set("tool_choice", #""auto""#)
        case "none": draft.set("tool_choice", #""none""#)
        case "any": draft.set("tool_choice", #""required""#)
        case "tool":
            guard let name = choice.member("name") else { throw choice.invalid("has no 'name'.") }
            draft.set(
                "tool_choice",
                Array(#"{"type":"function","function":{"name":""#.utf8) + (try name.rawString()) + Array(#""}}"#.utf8))
        default: throw choice.invalid("must be of type auto, any, tool or none.")
        }
        if choice.value["disable_parallel_tool_use"]?.bool == true { draft.set("parallel_tool_calls", "false") }
    }

    // MARK: Settings

    private mutating func readSettings() throws(Failure) {
        draft.set("max_tokens", root.member("max_tokens"))
        if let stops = root.member("stop_sequences"), !stops.value.isHollow {
            let first = stops.value.elements.prefix(MessagesRequest.mostStopsSent).map { Array($0.raw) }
            draft.set("stop", JSONWriter.array(of: first))
        }
        draft.set("temperature", root.member("temperature"))
        draft.set("top_p", root.member("top_p"))
        draft.set("top_k", root.member("top_k"))
        try readEffort()
        let format = root.member("output_config")?.member("format") ?? root.member("output_format")
        if let format, format.value["type"]?.equals("json_schema") == true {
            guard let schema = format.member("schema") else { throw format.invalid("has no 'schema'.") }
            var writer = JSONWriter(capacity: 1024)
            writer.beginObject()
            writer.key("type")
            writer.string(literal: "json_schema")
            writer.key("json_schema")
            writer.beginObject()
            writer.key("name")
            writer.string(literal: "output")
            writer.key("schema")
            writer.raw(schema.value.raw)
            writer.key("strict")
            writer.bool(true)
            writer.endObject()
            writer.endObject()
            draft.set("response_format", writer.bytes[...])
        }
    }

    /// What is said of effort wins; else the budget for thinking stands for one.
    private mutating func readEffort() throws(Failure) {
        let thinking = root.member("thinking")
        if thinking?.value["type"]?.equals("disabled") == true { return draft.set("reasoning_effort", #""none""#) }
        if let effort, effort.kind == .string {
            if effort.equals("max") {
                draft.set("reasoning_effort", #""xhigh""#)
            } else {
                draft.set("reasoning_effort", effort.raw)
            }
            return
        }
        guard thinking?.value["type"]?.equals("enabled") == true else { return }
        switch try thinking?.member("budget_tokens")?.int() ?? 0 {
        case ...4096: draft.set("reasoning_effort", #""low""#)
        case ...16_384: draft.set("reasoning_effort", #""medium""#)
        default: draft.set("reasoning_effort", #""high""#)
        }
    }
}
