/// The words of an error body, unwrapped.
struct ErrorWords {
    var message: String?
    /// The vendor's code, where it is in OpenAI's words.
    var code: String?
    /// The vendor's type of error, where it names one.
    private(set) var type: String?
    /// The HTTP status that the error would have had, where its code is one: 400...599.
    private(set) var status: Int?
    /// As the vendor names it.
    private(set) var vendorParameter: String?
    /// All codes, types and states of all layers, in lower case. They are for `RefusalWords` only: nothing keeps a request's words out of
    /// them.
    private(set) var codes: [String] = []
    /// Seconds after which the vendor wants to be asked again, where a member of the body says so.
    private var wait: Int?

    /// Seconds after which the vendor wants to be asked again: what it tells programs, or what it tells people.
    var retryAfter: Int? { wait ?? message.flatMap(RetryHint.seconds(inWords:)) }

    /// - Parameter message: said without a body around it.
    init(message: String) {
        self.message = message
    }

    /// - Parameter root: an error body, OCI's or a vendor's own; nil when it was no JSON.
    init(_ root: JSONValue?) {
        guard let root else { return }
        read(root)
        // The vendor's error as a JSON text, by itself or behind some words.
        guard let text = message, let start = text.utf8.firstIndex(where: { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "[") }),
            let inner = try? JSONDocument(parsing: Array(text[start...].utf8)).root
        else { return }
        var unwrapped = self
        unwrapped.message = nil
        unwrapped.read(inner)
        if unwrapped.message != nil { self = unwrapped }
    }

    /// Takes the words of one layer: `{"error":{"message"}}` (OpenAI, Google, the latter also in an array), `{"error":""}`
    /// (xAI), `{"message"}` (OCI, Cohere) or `{"detail"}` (FastAPI, a text or a list of complaints).
    private mutating func read(_ value: JSONValue) {
        var elements = value.elements
        let root = elements.next() ?? value
        note(root)
        if let error = root["error"], error.kind == .object {
            note(error)
            // OpenRouter wraps the error of the provider behind it.
            message = Self.words(error["metadata"]?["raw"]) ?? Self.words(error["message"])
            code = Self.word(error["code"])
            type = Self.word(error["type"])
            status = Self.status(error["code"]) ?? Self.status(error["status"]) ?? status
            vendorParameter = Self.word(error["param"])
        } else {
            let detail = root["detail"]
            let complaint = detail.flatMap { list in list.elements.lazy.compactMap { Self.words($0["msg"]) }.first }
            message = Self.words(root["error"]) ?? Self.words(root["message"]) ?? Self.words(detail) ?? complaint
            status = Self.status(root["code"]) ?? status
            // MiniMax, whose zero means that all is well.
            if message == nil, let base = root["base_resp"], base["status_code"]?.int ?? 0 != 0 {
                note(base)
                message = Self.words(base["status_msg"])
            }
        }
        status = status ?? Self.status(root["status_code"]) ?? Self.status(root["statusCode"])
    }

    /// Takes what a layer says for programs.
    private mutating func note(_ layer: JSONValue) {
        let inner = layer["innererror"] ?? layer["inner_error"]
        for value in [layer["code"], layer["type"], layer["status"], layer["status_code"], layer["error_code"], layer["__type"], inner?["code"]] {
            guard let code = value?.int.map(String.init) ?? value?.string, (1...128).contains(code.utf8.count) else { continue }
            codes.append(code.lowercased())
        }
        wait = RetryHint.seconds(in: layer) ?? wait
    }

    /// A text that can be shown: blanks are none, and markup of a gateway in between helps nobody.
    static func words(_ value: JSONValue?) -> String? {
        guard let text = value?.string, let first = text.first(where: { !$0.isWhitespace }), first != "<" else { return nil }
        return text
    }

    /// A code, a type or the path of a field; these are logged, so a text that a request or a key may stand in is none.
    private static func word(_ value: JSONValue?) -> String? {
        guard let text = value?.string, (1...128).contains(text.utf8.count) else { return nil }
        let isWord = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "/"):
                true
            default: false
            }
        }
        return isWord ? text : nil
    }

    private static func status(_ code: JSONValue?) -> Int? {
        (code?.int ?? code?.string.flatMap { Int($0) }).flatMap { (400...599).contains($0) ? $0 : nil }
    }

    /// The request's field, in OpenAI's name for it.
    var parameter: String? {
        if let vendorParameter { return Self.openAINames[vendorParameter] ?? vendorParameter }
        guard let message else { return nil }
        let found =
            message.firstMatch(of: #/^Invalid '([A-Za-z]+)'/#) ?? message.firstMatch(of: #/Unsupported (?:parameter|value): '([A-Za-z_]+)'/#)
            ?? message.firstMatch(of: #/Argument not supported on this model: ([A-Za-z_]+)/#)
            ?? message.firstMatch(of: #/does not support parameter ([A-Za-z_]+)/#)
        if let name = found.map({ String($0.1) }) { return Self.openAINames[name] ?? name }
        return message.contains("toolCallId") ? "messages" : nil
    }

    var openAICode: String {
        if let code { return code }
        if message?.contains("Unsupported value") == true { return "unsupported_value" }
        let isUnsupported = ["Unsupported parameter", "Argument not supported", "does not support parameter"].contains { message?.contains($0) == true }
        return isUnsupported ? "unsupported_parameter" : "invalid_request"
    }

    private static let openAINames: [String: String] = [
        "maxTokens": "max_tokens", "maxCompletionTokens": "max_completion_tokens", "topP": "top_p", "topK": "top_k",
        "frequencyPenalty": "frequency_penalty", "presencePenalty": "presence_penalty", "reasoningEffort": "reasoning_effort",
        "presence_penalty": "presence_penalty", "stopSequences": "stop", "thinking": "reasoning_effort", "isLogProbsEnabled": "logprobs", "toolsChoice": "tool_choice",
        "numGenerations": "n", "logProbs": "logprobs", "logitBias": "logit_bias",
        "toolChoice": "tool_choice", "isParallelToolCalls": "parallel_tool_calls", "responseFormat": "response_format",
    ]
}
