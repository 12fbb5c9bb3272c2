import ProxyRouting

/// The items, tools and settings of one Responses request, on their way into a chat.
struct ResponsesReader {
    private let root: RequestField
    private let seal: ReasoningSeal
    private let store: ResponseStore.Shelf
    private(set) var draft = ChatDraft()
    private(set) var tools = ResponsesTools()
    /// What the model reads, as the client has written it and has had kept.
    private var items: [JSONValue] = []
    /// The same as it is kept for later; empty where nothing is.
    private(set) var kept: [ResponseStore.Item] = []
    private let isKept: Bool
    private let ignoresPrevious: Bool
    /// The request builds on what was made here: kept responses and items, or reasoning that was sealed here. Nobody else can read that.
    private(set) var isOwn = false
    /// Bytes of what the request builds on.
    private(set) var builtOn = 0
    /// Bytes of kept items that references of this request stand for.
    private var referredBytes = 0
    /// Reasoning that belongs to the next turn of the assistant's, escaped.
    private var thought: ArraySlice<UInt8> = []
    /// Of the results that were read last.
    private var attachments: [ChatDraft.Part] = []
    private var lastResult: JSONValue?
    /// Types of items that no model here can use, the first of them.
    private var ignored: [String] = []

    /// - Parameters:
    ///   - isKept: a later request may build on this one.
    ///   - ignoresPrevious: what it builds on is kept elsewhere.
    init(
        _ root: RequestField, unsealing seal: ReasoningSeal, from store: ResponseStore.Shelf, isKept: Bool,
        ignoresPrevious: Bool = false
    ) {
        self.root = root
        self.ignoresPrevious = ignoresPrevious
        self.isKept = isKept
        self.seal = seal
        self.store = store
    }

    mutating func read() throws(Failure) {
        try tools.add(root.member("tools"))
        try gatherItems()
        if let instructions = root.member("instructions")?.value {
            guard let text = instructions.rawString else { throw RequestField(instructions).wrongType("a string") }
            if !text.isEmpty {
                draft.messages.append(.init(role: .system, parts: [.text([text])], source: instructions))
            }
        }
        for item in items { try read(item) }
        showAttachments()
        guard !draft.messages.isEmpty else {
            guard root.member("input") != nil else {
                throw .invalidRequest("Missing required parameter: 'input'.", field: "input", as: .missing)
            }
            throw .invalidRequest("'input' has nothing that a model could be shown\(ignoredTypes).", field: "input")
        }
        try draft.pairResults()
        try writeTools()
        try readSettings()
    }

    // MARK: What there is to read

    /// What came before, and the input.
    private mutating func gatherItems() throws(Failure) {
        if !ignoresPrevious, let previous = root.member("previous_response_id") {
            let id = try previous.string()
            guard let known = store.items(of: id) else {
                throw .previousNotFound(id, on: store)
            }
            isOwn = true
            builtOn = known.reduce(0) { $0 + $1.bytes.count }
            items = known.compactMap { try? JSONDocument(parsing: $0.bytes).root }
            if isKept { kept = known }
        }
        guard let input = root.member("input") else { return }
        if input.value.kind == .string {
            add(input.value)
        } else {
            for item in try input.elements() { if let value = try resolved(item) { add(value) } }
        }
    }

    private mutating func add(_ item: JSONValue) {
        items.append(item)
        if isKept { kept.append(ResponsesItem.identified(item)) }
    }

    /// The item that a reference stands for; nil where it is reasoning that nobody has kept: the answer only gets a little less clever.
    private mutating func resolved(_ item: RequestField) throws(Failure) -> JSONValue? {
        let value = item.value
        guard value.kind == .object else { return value.isNull ? nil : value }
        let isReference =
            value["type"]?.equals("item_reference") == true || value["type"] == nil && value["role"] == nil
        guard isReference, let id = value["id"]?.string else { return value }
        if let known = store.item(id), let root = try? JSONDocument(parsing: known.bytes).root {
            isOwn = true
            referredBytes += known.bytes.count
            guard referredBytes <= Self.mostReferredBytes else {
                throw item.invalid("refers to more than \(Self.mostReferredBytes) bytes of kept items, all together.")
            }
            return root
        }
        if id.hasPrefix("rs_") { return nil }
        throw .itemNotFound(id)
    }

    /// As much as one response may have.
    private static let mostReferredBytes = 8 << 20

    // MARK: Items

    private mutating func read(_ item: JSONValue) throws(Failure) {
        let field = RequestField(item)
        if item.kind == .string {
            showAttachments()
            draft.messages.append(.init(role: .user, parts: [.text([item.rawString ?? []])], source: item))
            return
        }
        let kind = try field.object().member("type")?.string() ?? (item["role"] == nil ? "item_reference" : "message")
        if !Self.results.contains(kind) { showAttachments() }
        switch kind {
        case "message": try readMessage(field)
        case "reasoning": readReasoning(item)
        case "function_call": try readCall(field, arguments: Self.arguments(item["arguments"]))
        case "custom_tool_call": try readCall(field, arguments: Self.wrapped(item["input"]))
        case "tool_search_call": try readOwnCall(field, "tool_search", item["arguments"])
        case "local_shell_call": try readOwnCall(field, "local_shell", item["action"])
        case "shell_call": try readOwnCall(field, "shell", item["action"])
        case "apply_patch_call": try readOwnCall(field, "apply_patch", item["operation"], inside: "operation")
        case "function_call_output", "custom_tool_call_output": try readResult(field)
        case "tool_search_output": try readToolSearchOutput(field)
        case "local_shell_call_output": try readOwnResult(field, "local_shell")
        case "shell_call_output": try readOwnResult(field, "shell")
        case "apply_patch_call_output": try readOwnResult(field, "apply_patch")
        case "additional_tools": try tools.add(field.member("tools"))
        case "compaction_trigger":
            throw field.invalid("of type compaction_trigger is not supported by this proxy.", as: .unsupportedContent)
        // Records of tools that ran at OpenAI, references to reasoning that is gone: the model of this answer cannot use them.
        default: if ignored.count < 3 { ignored.append(kind) }
        }
    }

    private var ignoredTypes: String {
        ignored.isEmpty
            ? "" : "; ignored were items of the type \(ignored.map { "'\($0.quotable)'" }.joined(separator: ", "))"
    }

    private static let results: Set<String> = [
        "function_call_output", "custom_tool_call_output", "tool_search_output", "local_shell_call_output",
        "shell_call_output", "apply_patch_call_output",
    ]

    private mutating func readMessage(_ item: RequestField) throws(Failure) {
        guard let role = item.member("role") else { throw item.invalid("has no 'role'.") }
        let parts = try Self.parts(item.member("content"))
        switch try role.string() {
        case "assistant":
            var text: [ArraySlice<UInt8>] = []
            for part in parts { if case .text(let pieces) = part { text += pieces } }
            guard text.contains(where: { !$0.isEmpty }) else { return }
            assistant(item.value) { $0.parts.append(.text(text)) }
        case "user":
            if !parts.isEmpty { draft.messages.append(.init(role: .user, parts: parts, source: item.value)) }
        case "system", "developer":
            if !parts.isEmpty { draft.messages.append(.init(role: .system, parts: parts, source: item.value)) }
        default: throw role.invalid("must be user, assistant, system or developer.")
        }
    }

    private mutating func readReasoning(_ item: JSONValue) {
        let shown = Self.joined(item.elements(of: "content").compactMap { $0["text"]?.rawString }, by: #"\n"#)
        let sealed = item["encrypted_content"]?.rawString.flatMap { seal.open($0) }
        if sealed != nil { isOwn = true }
        let summary = Self.joined(item.elements(of: "summary").compactMap { $0["text"]?.rawString }, by: #"\n\n"#)
        thought = [shown, sealed ?? [], summary].first { !$0.isEmpty }?[...] ?? []
    }

    private static func joined(_ texts: [ArraySlice<UInt8>], by joint: StaticString) -> [UInt8] {
        Array(texts.joined(separator: Array(joint.utf8)))
    }

    private mutating func assistant(_ source: JSONValue, _ change: (inout ChatDraft.Message) -> Void) {
        let thought = thought
        self.thought = []
        draft.assistant(source) {
            if !thought.isEmpty { $0.reasoning = [thought] }
            change(&$0)
        }
    }

    /// A call's arguments as a text; some send the object itself.
    private static func arguments(_ value: JSONValue?) -> ArraySlice<UInt8> {
        guard let value, !value.isNull else { return Array("{}".utf8)[...] }
        if let text = value.rawString { return text.isEmpty ? Array("{}".utf8)[...] : text }
        return ChatDraft.escaped(json: value.raw)
    }

    /// Free text as the arguments of the function that stands for its tool.
    private static func wrapped(_ input: JSONValue?) -> ArraySlice<UInt8> {
        let text = input?.kind == .string ? input?.raw ?? [] : Array("\"\"".utf8)[...]
        return ChatDraft.escaped(json: Array(#"{"input": "#.utf8) + text + Array("}".utf8))
    }

    private static func callID(of item: RequestField) throws(Failure) -> ArraySlice<UInt8> {
        // Some programs pair a call by the item's id.
        guard let id = item.member("call_id") ?? item.member("id") else { throw item.invalid("has no 'call_id'.") }
        return try id.rawString()
    }

    private mutating func readCall(_ item: RequestField, arguments: ArraySlice<UInt8>) throws(Failure) {
        guard let name = item.member("name") else { throw item.invalid("has no 'name'.") }
        let flat = ResponsesTools.flat(try name.rawString(), inside: item.member("namespace")?.value.rawString)
        let call = ChatDraft.Call(id: try Self.callID(of: item), name: flat[...], arguments: arguments)
        assistant(item.value) { $0.calls.append(call) }
    }

    /// A call of a tool that has a type of its own. Where it is not offered as a function, neither the call nor its result is shown.
    private mutating func readOwnCall(
        _ item: RequestField, _ name: StaticString, _ value: JSONValue?, inside member: StaticString? = nil
    ) throws(Failure) {
        guard tools.shapes[Array(name.utf8)] != nil else { return }
        var arguments = value?.raw ?? Array("{}".utf8)[...]
        if let member {
            arguments = (Array("{\"".utf8) + member.utf8 + Array("\":".utf8) + arguments + Array("}".utf8))[...]
        }
        let call = ChatDraft.Call(
            id: try Self.callID(of: item), name: Array(name.utf8)[...], arguments: ChatDraft.escaped(json: arguments))
        assistant(item.value) { $0.calls.append(call) }
    }

    private mutating func readOwnResult(_ item: RequestField, _ name: StaticString) throws(Failure) {
        if tools.shapes[Array(name.utf8)] != nil { try readResult(item) }
    }

    private mutating func readToolSearchOutput(_ item: RequestField) throws(Failure) {
        let known = tools.functions.count
        try tools.add(item.member("tools"))
        guard tools.shapes[Array("tool_search".utf8)] != nil else { return }
        let names = tools.functions[known...].map(\.name)
        let text: [ArraySlice<UInt8>] =
            names.isEmpty
            ? [ChatDraft.escaped("No tools were found.")]
            : [ChatDraft.escaped("Tools that are available now: ")] + names.map { $0[...] }.joinedByComma
        addResult(text, callID: try Self.callID(of: item), of: item.value)
    }

    private mutating func readResult(_ item: RequestField) throws(Failure) {
        let output = item.member("output")
        var lines: [[ArraySlice<UInt8>]] = []
        if let output, output.value.kind != .string, output.value.kind != .array {
            lines = [[ChatDraft.escaped(json: output.value.raw)]]
        } else if item.value["type"]?.equals("shell_call_output") == true, let output {
            lines = [[ChatDraft.escaped(json: output.value.raw)]]
        } else {
            var found = 0
            for part in try Self.parts(output) {
                if case .text(let pieces) = part {
                    lines.append(pieces)
                } else {
                    attachments.append(part)
                    found += 1
                }
            }
            let text = ChatDraft.result(lines: lines, attachments: found)
            lines = [text]
        }
        addResult(lines.flatMap { $0 }, callID: try Self.callID(of: item), of: item.value)
    }

    private mutating func addResult(_ text: [ArraySlice<UInt8>], callID: ArraySlice<UInt8>, of item: JSONValue) {
        lastResult = item
        draft.messages.append(.init(role: .tool, parts: [.text(text)], callID: callID, source: item))
    }

    /// Behind the results that they belong to.
    private mutating func showAttachments() {
        guard !attachments.isEmpty else { return }
        draft.messages.append(
            .init(role: .user, parts: [ChatDraft.attachmentsTitle] + attachments, source: lastResult))
        attachments = []
    }

    // MARK: Parts

    private static func parts(_ content: RequestField?) throws(Failure) -> [ChatDraft.Part] {
        guard let content else { return [] }
        if let text = content.value.rawString { return [.text([text])] }
        var parts: [ChatDraft.Part] = []
        for part in try content.elements() {
            if let text = part.value.rawString {
                parts.append(.text([text]))
                continue
            }
            switch try part.object().member("type")?.string() ?? "text" {
            case "input_text", "output_text", "text", "summary_text":
                parts.append(.text([part.member("text")?.value.rawString ?? []]))
            case "refusal": parts.append(.text([part.member("refusal")?.value.rawString ?? []]))
            case "input_image":
                guard let url = part.member("image_url") else {
                    throw noFiles(part, "send 'image_url'")
                }
                let place = url.member("url") ?? url
                parts.append(ChatDraft.image([try place.rawString()], detail: part.value.present("detail")))
            case "input_file":
                guard let data = part.member("file_data") else {
                    throw noFiles(part, "send 'file_data'")
                }
                let name = part.member("filename")?.value.rawString ?? Array("file".utf8)[...]
                parts.append(ChatDraft.file(named: name, [try data.rawString()]))
            case "input_audio":
                guard let audio = part.member("input_audio") else { throw part.invalid("has no 'input_audio'.") }
                parts.append(
                    .other(Array(#"{"type":"input_audio","input_audio":"#.utf8) + audio.value.raw + Array("}".utf8)))
            default: break
            }
        }
        return parts
    }

    private static func noFiles(_ part: RequestField, _ instead: StaticString) -> Failure {
        .refused(
            "'\(part.path)' names a file, and this proxy has no file store; \(instead).", field: "input", code: nil)
    }

    // MARK: Tools and settings

    private mutating func writeTools() throws(Failure) {
        let choice = root.member("tool_choice")
        if let hosted = tools.hosted, tools.functions.isEmpty {
            throw .refused(
                "Tool type '\(hosted.type.quotable)' is not supported by this proxy: it runs at OpenAI.",
                field: "\(hosted.field.path)", code: "unsupported_value")
        }
        var mode = choice
        if choice?.value["type"]?.equals("allowed_tools") == true {
            var names: Set<[UInt8]> = []
            for tool in try choice?.member("tools")?.elements() ?? [] {
                guard let name = tool.member("name")?.value.rawString else { continue }
                names.insert(ResponsesTools.flat(name, inside: tool.member("namespace")?.value.rawString))
            }
            tools.keep(only: names)
            mode = choice?.member("mode")
        }
        guard !tools.functions.isEmpty else { return }
        draft.set("tools", tools.written)
        if let mode, mode.value.kind == .string {
            draft.set("tool_choice", mode.value.raw)
        } else if let mode, let type = mode.member("type") {
            try writeChoice(mode, of: try type.string())
        }
        draft.set("parallel_tool_calls", root.member("parallel_tool_calls"))
    }

    private mutating func writeChoice(_ choice: RequestField, of type: String) throws(Failure) {
        let name: [UInt8]
        switch type {
        case "auto", "none", "required":
            return draft.set("tool_choice", (Array("\"".utf8) + Array(type.utf8) + Array("\"".utf8)))
        case "function", "custom":
            guard let own = choice.member("name") else { throw choice.invalid("has no 'name'.") }
            name = ResponsesTools.flat(try own.rawString(), inside: choice.member("namespace")?.value.rawString)
        default: name = Array(type.utf8)
        }
        guard tools.shapes[name] != nil else {
            throw .refused(
                "'tool_choice' names the tool '\(String(decoding: name, as: UTF8.self).quotable)', which this model does not have.",
                field: "tool_choice", code: "unsupported_value")
        }
        draft.set(
            "tool_choice",
            Array(#"{"type":"function","function":{"name":""#.utf8) + name + Array(#""}}"#.utf8))
    }

    private mutating func readSettings() throws(Failure) {
        if let limit = root.member("max_output_tokens"), try limit.int() < 1 {
            throw limit.invalid("must be 1 or more.")
        }
        draft.set("max_tokens", root.member("max_output_tokens"))
        for name in ["temperature", "top_p", "service_tier", "prompt_cache_key"] as [StaticString] {
            draft.set(name, root.member(name))
        }
        draft.set("reasoning_effort", try root.member("reasoning")?.object().member("effort"))
        let text = try root.member("text")?.object()
        draft.set("verbosity", text?.member("verbosity"))
        try readFormat(text?.member("format"))
        let wantsLogprobs = root.value.elements(of: "include").contains { $0.equals("message.output_text.logprobs") }
        let top = try root.member("top_logprobs")?.int() ?? 0
        if wantsLogprobs || top > 0 { draft.set("logprobs", "true") }
        if top > 0 { draft.set("top_logprobs", root.member("top_logprobs")) }
    }

    private mutating func readFormat(_ format: RequestField?) throws(Failure) {
        guard let format, let type = try format.object().member("type") else { return }
        switch try type.string() {
        case "json_object": draft.set("response_format", #"{"type":"json_object"}"#)
        case "json_schema":
            var writer = JSONWriter(capacity: 1024)
            writer.beginObject()
            writer.key("type")
            writer.string(literal: "json_schema")
            writer.key("json_schema")
            writer.beginObject()
            for name in ["name", "description", "schema", "strict"] as [StaticString] {
                guard let value = format.value.present(name) else { continue }
                writer.key(name)
                writer.raw(value.raw)
            }
            writer.endObject()
            writer.endObject()
            draft.set("response_format", writer.bytes)
        default: break
        }
    }
}

extension [ArraySlice<UInt8>] {
    fileprivate var joinedByComma: [ArraySlice<UInt8>] {
        Array(map { [$0] }.joined(separator: [[UInt8](", ".utf8)[...]]))
    }
}
