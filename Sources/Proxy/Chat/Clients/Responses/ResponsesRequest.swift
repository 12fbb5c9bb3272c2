import ProxyRouting

/// Reads a request to OpenAI's Responses API as a chat completion's: the wire, its odd forms and what becomes of each are in docs/dialects.md.
struct ResponsesRequest {
    let model: String
    let isStreaming: Bool
    /// The chat completion's request.
    let chat: [UInt8]
    let places: [JSONValue?]
    /// For each function, how a call of it is told.
    let shapes: [[UInt8]: ResponsesTools.Shape]
    let showsSummary: Bool
    /// The client wants the reasoning back, sealed.
    let wantsSealed: Bool
    let keepsResponse: Bool
    /// `truncation` is `auto`.
    let mayTruncate: Bool
    /// What the client has asked, as members of the response object.
    let echo: [UInt8]
    /// All that the model reads but its instructions, as items with ids: what a later request may build on. Empty when nothing is kept.
    let items: [ResponseStore.Item]
    /// It builds on what was made here, which no upstream can read.
    let isOwn: Bool
    /// Tokens of what the model will see, guessed.
    let estimate: Int

    /// The id of the response that a request builds on, without reading the request.
    static func previous(in body: [UInt8]) -> String? {
        JSONFastPath.look(atAnyOf: body.span) { root -> Range<Int>? in
            guard root.kind == .object else { return nil }
            var found: Range<Int>?
            _ = root.each { name, value in
                if name.means("previous_response_id") { found = value.content }
                return true
            }
            return found
        }.map { JSONString.decode(body[$0]) }
    }

    /// All ids that a request builds on: of responses, and of items that it only names.
    typealias References = (responses: [String], items: [String])

    /// Those in a body; none where it cannot be read.
    static func references(in body: [UInt8]) -> References {
        guard let root = try? JSONDocument(parsing: body).root, root.kind == .object else { return ([], []) }
        var responses: [String] = []
        var items: [String] = []
        // Another reader may take the first of several members.
        for (key, value) in root.members {
            if key.equals("previous_response_id"), let id = value.string { responses.append(id) }
            guard key.equals("input"), value.kind == .array else { continue }
            for item in value.elements where item.kind == .object {
                let type = item.present("type")
                let isReference =
                    type?.equals("item_reference") == true || type == nil && item.present("role") == nil
                if isReference, let id = item["id"]?.string { items.append(id) }
            }
        }
        return (responses, items)
    }

    /// - Parameters:
    ///   - store: what the client's key has had kept.
    ///   - isCounting: only the tokens are asked for.
    ///   - ignoresPrevious: what the request builds on is kept elsewhere, and is not counted.
    /// - Throws: `Failure` 400 with the client's path of what cannot be; 404 for an item that is not there.
    init(
        _ body: [UInt8], unsealing seal: ReasoningSeal, from store: ResponseStore.Shelf, isCounting: Bool = false,
        ignoresPrevious: Bool = false
    ) throws(Failure) {
        let root = try RequestField(body: body)
        model = try root.model()
        isStreaming = try root.member("stream")?.bool() ?? false
        showsSummary =
            root.member("reasoning")?.value.present("summary") != nil
            || root.member("reasoning")?.value.present("generate_summary") != nil
        wantsSealed = root.value.elements(of: "include").contains { $0.equals("reasoning.encrypted_content") }
        let isWanted = try root.member("store")?.bool() ?? true
        keepsResponse = isWanted && store.isOn
        for field in ["prompt", "conversation"] as [StaticString] {
            guard let given = root.member(field) else { continue }
            throw given.invalid("is not supported by this proxy.", as: .unsupportedParameter)
        }
        var reader = ResponsesReader(
            root, unsealing: seal, from: store, isKept: keepsResponse && !isCounting,
            ignoresPrevious: ignoresPrevious)
        try reader.read()
        (shapes, places) = (reader.tools.shapes, reader.draft.places)
        chat = reader.draft.written(model: root.value["model"]?.rawString ?? [], isStreaming: isStreaming)
        items = reader.kept
        isOwn = reader.isOwn
        let truncation = try root.member("truncation")?.string() ?? "disabled"
        guard ["auto", "disabled"].contains(truncation) else {
            throw .invalidRequest("'truncation' must be 'auto' or 'disabled'.", field: "truncation", as: .value)
        }
        mayTruncate = truncation == "auto"
        echo = ResponsesEcho.members(of: root, keepsResponse: keepsResponse)
        estimate = TokenEstimate.tokens(of: root.value, ["instructions", "input", "tools"]) + reader.builtOn / 4
    }
}

/// What a response object repeats of its request: each member that readers insist on, whether it was sent or not.
enum ResponsesEcho {
    /// Members of an object, a comma before each.
    static func members(of root: RequestField, keepsResponse: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        func add(_ name: StaticString, _ value: ArraySlice<UInt8>) {
            bytes.append(literal: ",\"")
            bytes.append(literal: name)
            bytes.append(literal: "\":")
            bytes.append(contentsOf: value)
        }
        func echo(_ name: StaticString, else absent: StaticString = "null") {
            add(name, root.member(name)?.value.oneLine ?? Array(absent.utf8)[...])
        }
        add("background", Array((root.member("background")?.value.bool == true ? "true" : "false").utf8)[...])
        echo("instructions")
        echo("max_output_tokens")
        echo("max_tool_calls")
        echo("parallel_tool_calls", else: "true")
        echo("previous_response_id")
        echo("prompt_cache_key")
        add("reasoning", reasoning(root.member("reasoning")?.value)[...])
        echo("safety_identifier")
        echo("service_tier", else: #""default""#)
        add("store", Array((keepsResponse ? "true" : "false").utf8)[...])
        echo("temperature", else: "1.0")
        add("text", text(root.member("text")?.value)[...])
        echo("tool_choice", else: #""auto""#)
        add("tools", tools(root.member("tools")?.value)[...])
        echo("top_logprobs", else: "0")
        echo("top_p", else: "1.0")
        echo("presence_penalty", else: "0")
        echo("frequency_penalty", else: "0")
        echo("truncation", else: #""disabled""#)
        echo("user")
        echo("metadata", else: "{}")
        return bytes
    }

    private static func reasoning(_ value: JSONValue?) -> [UInt8] {
        var bytes = Array(#"{"effort":"#.utf8)
        bytes += value?.present("effort")?.oneLine ?? Array("null".utf8)[...]
        bytes.append(literal: #","summary":"#)
        bytes += value?.present("summary")?.oneLine ?? Array("null".utf8)[...]
        bytes.append(literal: "}")
        return bytes
    }

    private static func text(_ value: JSONValue?) -> [UInt8] {
        var bytes = Array("{".utf8)
        for (key, member) in (value?.kind == .object ? value : nil)?.members.map({ $0 }) ?? [] {
            guard !key.equals("format"), !member.isNull else { continue }
            bytes += key.raw + Array(":".utf8) + member.oneLine + Array(",".utf8)
        }
        bytes.append(literal: #""format":"#)
        bytes += value?.present("format")?.oneLine ?? Array(#"{"type":"text"}"#.utf8)[...]
        bytes.append(literal: "}")
        return bytes
    }

    /// The client's own tools, made whole: `strict` and `parameters` of a function are not optional in an answer.
    private static func tools(_ value: JSONValue?) -> [UInt8] {
        guard let value, value.kind == .array else { return Array("[]".utf8) }
        let tools = value.elements.map { tool -> [UInt8] in
            var bytes = Array(tool.oneLine)
            guard tool["type"]?.equals("function") == true, tool["function"] == nil, bytes.popLast() != nil else {
                return Array(tool.oneLine)
            }
            if tool["strict"] == nil { bytes.append(literal: #","strict":null"#) }
            if tool["parameters"] == nil { bytes.append(literal: #","parameters":null"#) }
            bytes.append(UInt8(ascii: "}"))
            return bytes
        }
        return JSONWriter.array(of: tools)
    }
}

/// Items of a request's input.
enum ResponsesItem {
    /// The item with an id and a type, as it is kept and listed.
    static func identified(_ item: JSONValue) -> ResponseStore.Item {
        let hex = RandomName().hex
        if item.kind == .string {
            let id = "msg_" + hex
            return ResponseStore.Item(
                id: id,
                bytes: Array(
                    #"{"type":"message","id":"\#(id)","role":"user","content":[{"type":"input_text","text":"#.utf8)
                    + item.raw + Array("}]}".utf8))
        }
        let own = item["id"]?.string
        let hasType = item.present("type") != nil
        guard item.kind == .object else { return ResponseStore.Item(id: "msg_" + hex, bytes: Array(item.raw)) }
        if let own, hasType { return ResponseStore.Item(id: own, bytes: Array(item.raw)) }
        let id = own ?? prefix(of: item["type"]?.string ?? "message") + hex
        var bytes = Array("{".utf8)
        if !hasType { bytes.append(literal: #""type":"message","#) }
        if own == nil { bytes += Array(#""id":"\#(id)","#.utf8) }
        for (key, value) in item.members where !((own == nil && key.equals("id")) || (!hasType && key.equals("type"))) {
            bytes += key.raw + Array(":".utf8) + value.raw + Array(",".utf8)
        }
        bytes.removeLast()
        bytes.append(UInt8(ascii: "}"))
        return ResponseStore.Item(id: id, bytes: bytes)
    }

    private static func prefix(of type: String) -> String {
        switch type {
        case "function_call": "fc_"
        case "function_call_output": "fco_"
        case "custom_tool_call": "ctc_"
        case "custom_tool_call_output": "ctco_"
        case "reasoning": "rs_"
        default: "msg_"
        }
    }
}

extension Failure {
    /// 400 in OpenAI's words, with a code of theirs that nothing else here has.
    static func refused(_ message: String, field: String?, code: String?, status: Int = 400) -> Failure {
        Failure(
            .refused, message, field: field,
            said: .init(status: status, type: "invalid_request_error", code: code))
    }

    /// 404 likewise.
    static func itemNotFound(_ id: String) -> Failure {
        .refused(
            "Item with id '\(id.quotable)' not found. Items are not kept when 'store' is false, or have expired; send the item itself.",
            field: "input", code: nil, status: 404)
    }

    /// 400: what a request builds on is not there (any more).
    static func previousNotFound(_ id: String, on shelf: ResponseStore.Shelf) -> Failure {
        .refused(
            "Previous response with id '\(id.quotable)' not found. \(shelf.absence)", field: "previous_response_id",
            code: "previous_response_not_found")
    }
}

extension ResponsesRequest {
    /// The body of a request that is answered when its answer is there: what an upstream works at in the background, it tells the usage of to whoever
    /// asks later, if anybody does.
    static func inForeground(_ body: [UInt8]) -> [UInt8] {
        guard let root = try? JSONDocument(parsing: body).root, root.kind == .object else { return body }
        var text: [UInt8] = []
        var rest = body.startIndex
        for (key, value) in root.members where key.equals("background") && value.kind != .false {
            text += body[rest..<value.raw.startIndex] + Array("false".utf8)
            rest = value.raw.endIndex
        }
        return rest == body.startIndex ? body : text + body[rest...]
    }
}
