import ProxyRouting

/// Writes an answer as the items of a response, and the events that tell of them.
struct ResponsesItems: ItemWriter {
    var bytes: [UInt8] = []
    private let answer: ResponsesDialect
    /// Else there are no events, and the response object stands in `bytes` at the end.
    private let isStreaming: Bool
    /// The items that are done.
    private var output: [[UInt8]] = []
    private var ids: [String] = []
    /// The item that is open.
    private var current: Item?
    /// What every delta of it begins with, up to its number, and from there to the delta.
    private var opening: (head: [UInt8], tail: [UInt8]) = ([], [])
    /// Made so far, for the ids.
    private var made = 0

    private struct Item {
        let kind: ItemKind
        let id: String
        /// Parts of a message that are done.
        var parts: [[UInt8]] = []
        var part: Part?
        /// Escaped: a call's arguments, or what was thought.
        var text: [UInt8] = []
        var call: Call?
    }

    /// A part of a message.
    private struct Part {
        let isRefusal: Bool
        var text: [UInt8] = []
        /// Tokens in the form of this API, without and with their bytes.
        var logprobs: [[UInt8]] = []
        var logprobsInPart: [[UInt8]] = []
    }

    private struct Call {
        let id: String
        let shape: ResponsesTools.Shape
    }

    init(_ answer: ResponsesDialect, isStreaming: Bool) {
        self.answer = answer
        self.isStreaming = isStreaming
    }

    var showsReasoning: Bool { answer.showsSummary || answer.wantsSealed }

    mutating func begin() { if isStreaming { _ = answer.begin(into: &bytes) } }

    // MARK: Items

    mutating func open(_ item: ItemKind) {
        guard item != .call else { return }
        current = Item(kind: item, id: nextID(item == .message ? "msg_" : "rs_"))
        tellAdded()
        guard item == .reasoning, answer.showsSummary, isStreaming else { return }
        event("response.reasoning_summary_part.added") {
            $0.key("summary_index")
            $0.int(0)
            $0.key("part")
            $0.raw(Array(#"{"type":"summary_text","text":""}"#.utf8)[...])
        }
        setOpening("response.reasoning_summary_text.delta", #","summary_index":0,"delta":""#)
    }

    mutating func openCall(id: String, name: ArraySlice<UInt8>) {
        let shape = answer.shapes[Array(name)] ?? ResponsesTools.Shape(kind: .function, name: name)
        current = Item(kind: .call, id: nextID(shape.kind.prefix), call: Call(id: id, shape: shape))
        tellAdded()
        if shape.kind == .function { setOpening("response.function_call_arguments.delta", #","delta":""#) }
    }

    mutating func text(_ escaped: ArraySlice<UInt8>, logprobs: [UInt8]?) {
        openPart(isRefusal: false)
        current?.part?.text += escaped
        let tokens = logprobs.map(ResponsesLogprobs.tokens) ?? []
        current?.part?.logprobs += tokens.map(\.inEvent)
        current?.part?.logprobsInPart += tokens.map(\.inPart)
        guard isStreaming else { return }
        delta(escaped, ended: tokens.isEmpty ? [] : Array(ResponsesLogprobs.list(tokens.map(\.inEvent))))
    }

    mutating func refusal(_ escaped: ArraySlice<UInt8>) {
        openPart(isRefusal: true)
        current?.part?.text += escaped
        if isStreaming { delta(escaped) }
    }

    mutating func reasoning(_ escaped: ArraySlice<UInt8>) {
        current?.text += escaped
        if isStreaming, answer.showsSummary { delta(escaped) }
    }

    mutating func arguments(_ escaped: ArraySlice<UInt8>) {
        current?.text += escaped
        if isStreaming, current?.call?.shape.kind == .function { delta(escaped) }
    }

    mutating func close(_ item: ItemKind, isCut: Bool) {
        switch item {
        case .message: closePart()
        case .reasoning: closeReasoning()
        case .call: closeCall()
        }
        guard let current else { return }
        let written = write(current, status: isCut ? "incomplete" : "completed")
        let index = output.count
        output.append(written)
        ids.append(current.id)
        self.current = nil
        guard isStreaming else { return }
        tell("response.output_item.done", written, at: index)
    }

    // MARK: The end

    mutating func end(_ end: ItemEnd) {
        begin()
        // Programs add them up.
        let usage = end.usage ?? TokenUsage(prompt: 0, completion: 0, total: 0)
        let frame: [UInt8]
        if end.isCut {
            frame = answer.frame(
                status: "incomplete", output: output, usage: usage,
                incomplete: end.reason.isLimit ? "max_output_tokens" : "content_filter")
        } else {
            frame = answer.frame(
                status: "completed", output: output, usage: usage,
                completed: max(answer.created, Int(answer.time.wallClock())))
        }
        if isStreaming {
            answer.write(end.isCut ? "response.incomplete" : "response.completed", frame, into: &bytes)
            answer.progress.end()
        } else {
            bytes = frame
        }
        answer.keep(zip(ids, output).map { ResponseStore.Item(id: $0, bytes: $1) }, frame)
    }

    mutating func fail(_ failure: Failure) {
        begin()
        let error = OpenAIError(answer.worded(failure))
        var writer = JSONWriter(capacity: error.message.utf8.count + 64)
        writer.beginObject()
        writer.key("code")
        writer.string(literal: Self.code(of: failure))
        writer.key("message")
        writer.string(error.message)
        writer.endObject()
        let unfinished = current.map { [write($0, status: "in_progress")] } ?? []
        let frame = answer.frame(status: "failed", output: output + unfinished, error: writer.bytes)
        answer.write("response.failed", frame, into: &bytes)
        answer.progress.end()
    }

    /// Codex decides by it whether it tries again.
    private static func code(of failure: Failure) -> StaticString {
        switch failure.kind {
        case .promptTooLong: "context_length_exceeded"
        case .throttled, .rateLimited, .tokensLimited, .concurrencyLimited: "rate_limit_exceeded"
        case .accountExhausted, .accountDoubted, .budgetExceeded: "insufficient_quota"
        case .invalidRequest, .refused, .parameterRefused, .contentFiltered, .formatRefused: "invalid_prompt"
        case .notFound, .unacceptable, .unauthorized, .forbidden, .conflict, .overloaded, .noUpstreamAvailable,
            .shuttingDown,
            .internalError,
            .modelNotAllowed, .modelGone, .credentialsRefused, .credentialsDoubted, .unavailable, .timedOut, .failed,
            .unusable, .deadline, .transport, .signing, .noCredentials:
            "server_error"
        }
    }

    // MARK: Parts

    private mutating func openPart(isRefusal: Bool) {
        if let part = current?.part {
            guard part.isRefusal != isRefusal else { return }
            closePart()
        }
        current?.part = Part(isRefusal: isRefusal)
        guard isStreaming, let current else { return }
        let index = current.parts.count
        event("response.content_part.added") {
            $0.key("content_index")
            $0.int(index)
            $0.key("part")
            $0.raw(Array(Self.write(Part(isRefusal: isRefusal)))[...])
        }
        setOpening(
            isRefusal ? "response.refusal.delta" : "response.output_text.delta", #","content_index":"#,
            Array("\(index),\"delta\":\"".utf8))
    }

    private mutating func closePart() {
        guard let part = current?.part, let index = current?.parts.count else { return }
        let written = Self.write(part)
        current?.parts.append(written)
        current?.part = nil
        guard isStreaming else { return }
        event(part.isRefusal ? "response.refusal.done" : "response.output_text.done") {
            $0.key("content_index")
            $0.int(index)
            $0.key(part.isRefusal ? "refusal" : "text")
            $0.string(escaped: part.text[...])
            guard !part.isRefusal else { return }
            $0.key("logprobs")
            $0.raw(ResponsesLogprobs.list(part.logprobs))
        }
        event("response.content_part.done") {
            $0.key("content_index")
            $0.int(index)
            $0.key("part")
            $0.raw(written[...])
        }
    }

    private static func write(_ part: Part) -> [UInt8] {
        var writer = JSONWriter(capacity: part.text.count + 96)
        writer.beginObject()
        writer.key("type")
        if part.isRefusal {
            writer.string(literal: "refusal")
            writer.key("refusal")
            writer.string(escaped: part.text[...])
        } else {
            writer.string(literal: "output_text")
            writer.key("text")
            writer.string(escaped: part.text[...])
            writer.key("annotations")
            writer.raw(Array("[]".utf8)[...])
            writer.key("logprobs")
            writer.raw(ResponsesLogprobs.list(part.logprobsInPart))
        }
        writer.endObject()
        return writer.bytes
    }

    // MARK: Reasoning and calls

    private mutating func closeReasoning() {
        guard isStreaming, answer.showsSummary, let text = current?.text else { return }
        event("response.reasoning_summary_text.done") {
            $0.key("summary_index")
            $0.int(0)
            $0.key("text")
            $0.string(escaped: text[...])
        }
        event("response.reasoning_summary_part.done") {
            $0.key("summary_index")
            $0.int(0)
            $0.key("part")
            $0.raw(Self.summary(text)[...])
        }
    }

    private static func summary(_ text: [UInt8]) -> [UInt8] {
        Array(#"{"type":"summary_text","text":""#.utf8) + text + Array(#""}"#.utf8)
    }

    private mutating func closeCall() {
        guard isStreaming, let current, let call = current.call else { return }
        switch call.shape.kind {
        case .function:
            event("response.function_call_arguments.done") {
                $0.key("arguments")
                $0.string(escaped: current.text[...])
                $0.key("name")
                $0.string(escaped: call.shape.name)
            }
        case .custom:
            let input = ResponsesItems.input(of: current.text)
            event("response.custom_tool_call_input.delta") {
                $0.key("delta")
                $0.string(escaped: input[...])
            }
            event("response.custom_tool_call_input.done") {
                $0.key("input")
                $0.string(escaped: input[...])
            }
        case .toolSearch, .localShell, .shell, .applyPatch: break
        }
    }

    /// The free text of a custom tool's call, escaped: what the model has put into the one string, whatever it calls that; else all of it.
    private static func input(of arguments: [UInt8]) -> [UInt8] {
        let text = Array(JSONString.decode(arguments[...]).utf8)
        guard let root = try? JSONDocument(parsing: text).root, root.kind == .object else { return arguments }
        if let input = root["input"]?.rawString { return Array(input) }
        let members = root.members.map { $0.value }
        guard !members.isEmpty else { return [] }
        guard members.count == 1, let only = members[0].rawString else { return arguments }
        return Array(only)
    }

    private func write(_ item: Item, status: StaticString) -> [UInt8] {
        var writer = JSONWriter(capacity: item.text.count + item.parts.reduce(256) { $0 + $1.count })
        writer.beginObject()
        writer.key("type")
        switch item.kind {
        case .message:
            writer.string(literal: "message")
            writer.key("id")
            writer.string(item.id)
            writer.key("role")
            writer.string(literal: "assistant")
            writer.key("status")
            writer.string(literal: status)
            writer.key("content")
            writer.beginArray()
            for part in item.parts { writer.raw(part[...]) }
            if let part = item.part { writer.raw(Self.write(part)[...]) }
            writer.endArray()
        case .reasoning:
            writer.string(literal: "reasoning")
            writer.key("id")
            writer.string(item.id)
            writer.key("summary")
            writer.beginArray()
            if answer.showsSummary, !item.text.isEmpty { writer.raw(Self.summary(item.text)[...]) }
            writer.endArray()
            if answer.wantsSealed, !status.utf8.elementsEqual(("in_progress" as StaticString).utf8) {
                writer.key("encrypted_content")
                writer.string(answer.seal.seal(item.text[...]))
            }
        case .call:
            if let call = item.call { write(call, item, status: status, to: &writer) }
        }
        writer.endObject()
        return writer.bytes
    }

    private func write(_ call: Call, _ item: Item, status: StaticString, to writer: inout JSONWriter) {
        writer.string(literal: call.shape.kind.type)
        writer.key("id")
        writer.string(item.id)
        writer.key("call_id")
        writer.string(call.id)
        switch call.shape.kind {
        case .function, .custom:
            writer.key("name")
            writer.string(escaped: call.shape.name)
            if let namespace = call.shape.namespace {
                writer.key("namespace")
                writer.string(escaped: namespace)
            }
            writer.key(call.shape.kind == .custom ? "input" : "arguments")
            let isWhole = !status.utf8.elementsEqual(("in_progress" as StaticString).utf8)
            writer.string(
                escaped: (call.shape.kind == .custom && isWhole ? Self.input(of: item.text) : item.text)[...])
        case .toolSearch:
            writer.key("execution")
            writer.string(literal: "client")
            writer.key("arguments")
            writer.raw(Self.object(item.text)[...])
        case .localShell:
            writer.key("action")
            writer.raw(Self.object(item.text, beside: #""type":"exec","env":{}"#)[...])
        case .shell:
            writer.key("action")
            writer.raw(Self.object(item.text)[...])
        case .applyPatch:
            let text = Array(JSONString.decode(item.text[...]).utf8)
            let operation = (try? JSONDocument(parsing: text).root)?.present("operation")
            writer.key("operation")
            writer.raw(operation?.oneLine ?? Array("{}".utf8)[...])
        }
        writer.key("status")
        writer.string(literal: status)
    }

    /// Arguments as the object that they ought to be.
    private static func object(_ arguments: [UInt8], beside members: StaticString = "") -> [UInt8] {
        let text = Array(JSONString.decode(arguments[...]).utf8)
        var bytes = Array("{".utf8) + members.utf8
        if let root = try? JSONDocument(parsing: text).root, root.kind == .object {
            for (key, value) in root.members {
                if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
                bytes += key.raw + Array(":".utf8) + value.oneLine
            }
        }
        return bytes + Array("}".utf8)
    }

    // MARK: Events

    private mutating func nextID(_ prefix: String) -> String {
        made += 1
        return "\(prefix)\(answer.response.token)\(String(made + 0x1000, radix: 16).dropFirst())"
    }

    private mutating func tellAdded() {
        guard isStreaming, let current else { return }
        tell("response.output_item.added", write(current, status: "in_progress"), at: output.count)
    }

    private mutating func tell(_ name: StaticString, _ item: [UInt8], at index: Int) {
        var writer = begin(name)
        writer.key("output_index")
        writer.int(index)
        writer.key("item")
        writer.raw(item[...])
        finish(writer)
    }

    private mutating func event(_ name: StaticString, _ members: (inout JSONWriter) -> Void) {
        guard let current else { return }
        var writer = begin(name)
        writer.key("item_id")
        writer.string(current.id)
        writer.key("output_index")
        writer.int(output.count)
        members(&writer)
        finish(writer)
    }

    private mutating func begin(_ name: StaticString) -> JSONWriter {
        bytes.append(literal: "event: ")
        bytes.append(literal: name)
        bytes.append(literal: "\ndata: ")
        var writer = JSONWriter(capacity: 256)
        writer.beginObject()
        writer.key("type")
        writer.string(literal: name)
        writer.key("sequence_number")
        writer.int(answer.progress.next())
        return writer
    }

    private mutating func finish(_ writer: JSONWriter) {
        var writer = writer
        writer.endObject()
        bytes.append(contentsOf: writer.bytes)
        bytes.append(literal: "\n\n")
    }

    private mutating func setOpening(_ name: StaticString, _ tail: StaticString, _ rest: [UInt8] = []) {
        guard let current else { return }
        opening.head.removeAll(keepingCapacity: true)
        opening.head.append(literal: "event: ")
        opening.head.append(literal: name)
        opening.head.append(literal: "\ndata: {\"type\":\"")
        opening.head.append(literal: name)
        opening.head.append(literal: "\",\"sequence_number\":")
        opening.tail.removeAll(keepingCapacity: true)
        opening.tail.append(literal: ",\"item_id\":\"")
        opening.tail.append(contentsOf: current.id.utf8)
        opening.tail.append(literal: "\",\"output_index\":")
        opening.tail.append(contentsOf: String(output.count).utf8)
        opening.tail.append(literal: tail)
        opening.tail.append(contentsOf: rest)
        isTextDelta = name.utf8.elementsEqual(("response.output_text.delta" as StaticString).utf8)
    }

    /// The open part is text: its deltas end with log probabilities.
    private var isTextDelta = false

    private mutating func delta(_ escaped: ArraySlice<UInt8>, ended logprobs: [UInt8] = []) {
        bytes.append(contentsOf: opening.head)
        bytes.append(contentsOf: String(answer.progress.next()).utf8)
        bytes.append(contentsOf: opening.tail)
        bytes.append(contentsOf: escaped)
        guard isTextDelta else { return bytes.append(literal: "\"}\n\n") }
        bytes.append(literal: "\",\"logprobs\":")
        if logprobs.isEmpty { bytes.append(literal: "[]") } else { bytes.append(contentsOf: logprobs) }
        bytes.append(literal: "}\n\n")
    }
}

extension ResponsesTools.Shape.Kind {
    fileprivate var type: StaticString {
        switch self {
        case .function: "function_call"
        case .custom: "custom_tool_call"
        case .toolSearch: "tool_search_call"
        case .localShell: "local_shell_call"
        case .shell: "shell_call"
        case .applyPatch: "apply_patch_call"
        }
    }

    /// Of the items' ids.
    fileprivate var prefix: String {
        switch self {
        case .function: "fc_"
        case .custom: "ctc_"
        case .toolSearch: "tsc_"
        case .localShell: "lsh_"
        case .shell: "sh_"
        case .applyPatch: "apc_"
        }
    }
}
