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

    /// - Parameter body: of a refusal, as it came: JSON, an event, or plain text. Markup says nothing.
    init(body: [UInt8]) {
        if let root = (try? JSONDocument(parsing: body).root) ?? Self.document(beginning: body) {
            self.init(root)
            message = message ?? MessageWords.byField(root)
        } else if ResponseForm.isStream(body), let event = ResponseForm.firstEvent(of: body) {
            self.init(event)
        } else {
            self.init(nil)
            message = MessageWords.plain(body)
        }
    }

    /// The object with which a body begins: Azure has lines of help behind it.
    private static func document(beginning body: [UInt8]) -> JSONValue? {
        guard body.first == UInt8(ascii: "{") else { return nil }
        var balance = JSONBalance()
        for (position, byte) in body.enumerated() {
            balance.take(CollectionOfOne(byte))
            if balance.isWhole { return try? JSONDocument(parsing: Array(body[...position])).root }
        }
        return nil
    }

    /// - Parameter root: an error body, OCI's or a vendor's own; nil when it was no JSON.
    init(_ root: JSONValue?) {
        guard let root else { return }
        read(root)
        message = message.map { $0.cut(toBytes: MessageWords.longest) }
        // The vendor's error as a JSON text, by itself or behind some words.
        guard let text = message,
            let start = text.utf8.firstIndex(where: { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "[") }),
            let inner = try? JSONDocument(parsing: Array(text[start...].utf8)).root
        else { return }
        var unwrapped = self
        unwrapped.message = nil
        unwrapped.read(inner)
        if unwrapped.message != nil { self = unwrapped }
    }

    /// Takes the words of one layer: `{"error":{"message"}}` (OpenAI, Google, the latter also in an array), `{"error":""}`
    /// (xAI), `{"message"}` (OCI, Cohere), `{"detail"}` (FastAPI, a text or a list of complaints), and what else there is (`MessageWords`).
    private mutating func read(_ value: JSONValue) {
        var elements = value.elements
        let root = elements.next() ?? value
        note(root)
        if let error = Self.error(in: root) {
            note(error)
            // OpenRouter wraps the error of the provider behind it, and so does Vercel's gateway.
            message =
                Self.words(error["metadata"]?["raw"]) ?? Self.words(error["value"]?["error_message"])
                ?? MessageWords.of(error) ?? MessageWords.of(root)
            code = Self.word(error["code"])
            type = Self.word(error["type"])
            status = Self.status(error["code"]) ?? Self.status(error["status"]) ?? status
            vendorParameter =
                Self.word(error["param"]) ?? MessageWords.place(in: error).flatMap { Self.isWord($0) ? $0 : nil }
        } else {
            message = MessageWords.of(root)
            status = Self.status(root["code"]) ?? Self.status(root["status"]) ?? status
            vendorParameter =
                Self.word(root["param"]) ?? MessageWords.place(in: root).flatMap { Self.isWord($0) ? $0 : nil }
            // MiniMax, whose zero means that all is well.
            if let base = root["base_resp"], base["status_code"]?.int ?? 0 != 0 {
                note(base)
                message = message ?? Self.words(base["status_msg"])
            }
        }
        status =
            status ?? Self.status(root["status_code"]) ?? Self.status(root["statusCode"])
            ?? Self.status(root["error_code"])
    }

    /// The object that is called an error; of a list of them the first.
    private static func error(in root: JSONValue) -> JSONValue? {
        for name in ["error", "errors", "fault", "Error"] as [StaticString] {
            guard let value = root[name] else { continue }
            // What is called errors by fields is no layer of its own.
            if value.kind == .object,
                MessageWords.of(value) != nil || value.present("code") != nil || value.present("type") != nil
            {
                return value
            }
            var elements = value.elements
            if let first = elements.next(), first.kind == .object, elements.next() == nil { return first }
        }
        return nil
    }

    /// Takes what a layer says for programs.
    private mutating func note(_ layer: JSONValue) {
        let inner = layer["innererror"] ?? layer["inner_error"]
        for value in [
            layer["code"], layer["type"], layer["status"], layer["status_code"], layer["error_code"],
            layer["errorCode"], layer["__type"], layer["name"], inner?["code"],
        ] {
            guard let code = value?.int.map(String.init) ?? value?.string, (1...128).contains(code.utf8.count) else {
                continue
            }
            codes.append(code.lowercased())
        }
        wait = RetryHint.seconds(in: layer) ?? wait
    }

    /// Whether a document in the place of an answer, or of an event, tells of a failure without OpenAI's `error` around it.
    static func tellFailure(_ root: JSONValue) -> Bool {
        guard root.kind == .object, root["choices"]?.kind != .array else { return false }
        if root["object"]?.equals("error") == true || root["type"]?.equals("error") == true
            || root["success"]?.bool == false
        {
            return true
        }
        if root["base_resp"]?["status_code"]?.int ?? 0 != 0 { return true }
        for name in ["error_code", "errorCode", "error_msg", "errorMsg", "error_message", "errorMessage", "errors"]
            as [StaticString]
        {
            guard let value = root.present(name) else { continue }
            if !value.isHollow || value.int ?? 0 != 0 { return true }
        }
        for name in ["status", "status_code", "statusCode"] as [StaticString] where status(root[name]) != nil {
            return true
        }
        guard MessageWords.of(root) != nil, let code = root.present("code") else { return false }
        if let number = code.int ?? code.string.flatMap({ Int($0) }) {
            return number != 0 && !(200..<300).contains(number)
        }
        return code.string.map { !["", "ok", "success"].contains($0.lowercased()) } ?? false
    }

    /// A text that can be shown: blanks are none, and markup of a gateway in between helps nobody.
    static func words(_ value: JSONValue?) -> String? { value?.string.flatMap(MessageWords.shown) }

    /// A code, a type or the path of a field; these are logged, so a text that a request or a key may stand in is none.
    private static func word(_ value: JSONValue?) -> String? {
        value?.string.flatMap { isWord($0) ? $0 : nil }
    }

    private static func isWord(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "["), UInt8(ascii: "]"),
                    UInt8(ascii: "/"):
                    true
                default: false
                }
            }
    }

    private static func status(_ code: JSONValue?) -> Int? {
        (code?.int ?? code?.string.flatMap { Int($0) }).flatMap { (400...599).contains($0) ? $0 : nil }
    }

    /// The request's field, in OpenAI's name for it.
    var parameter: String? {
        if let vendorParameter { return Self.openAINames[vendorParameter] ?? vendorParameter }
        guard let message else { return nil }
        let found =
            message.firstMatch(of: #/^Invalid '([A-Za-z]+)'/#) ?? message.firstMatch(
                of: #/Unsupported (?:parameter|value): '([A-Za-z_]+)'/#)
            ?? message.firstMatch(of: #/Argument not supported on this model: ([A-Za-z_]+)/#)
            ?? message.firstMatch(of: #/does not support parameter ([A-Za-z_]+)/#)
        if let name = found.map({ String($0.1) }) { return Self.openAINames[name] ?? name }
        return message.contains("toolCallId") ? "messages" : nil
    }

    var openAICode: String {
        if let code { return code }
        if message?.contains("Unsupported value") == true { return "unsupported_value" }
        let isUnsupported = ["Unsupported parameter", "Argument not supported", "does not support parameter"].contains {
            message?.contains($0) == true
        }
        return isUnsupported ? "unsupported_parameter" : "invalid_request"
    }

    private static let openAINames: [String: String] = [
        "maxTokens": "max_tokens", "maxCompletionTokens": "max_completion_tokens", "topP": "top_p", "topK": "top_k",
        "frequencyPenalty": "frequency_penalty", "presencePenalty": "presence_penalty",
        "reasoningEffort": "reasoning_effort",
        "presence_penalty": "presence_penalty", "stopSequences": "stop", "thinking": "reasoning_effort",
        "isLogProbsEnabled": "logprobs", "toolsChoice": "tool_choice",
        "numGenerations": "n", "logProbs": "logprobs", "logitBias": "logit_bias",
        "toolChoice": "tool_choice", "isParallelToolCalls": "parallel_tool_calls", "responseFormat": "response_format",
    ]
}
