import Testing

@testable import OCISimulator

/// Answers of the service without sockets: habits of the families, content, usage.
@Suite struct AnswerTests {
    private let account: SimulatedAccount
    private let signer: TestSigner

    init() throws {
        account = try SimulatedAccount.generate(1)[0]
        signer = try TestSigner(account)
    }

    private func service(_ change: (inout SimulatorConfiguration) -> Void = { _ in }) -> SimulatedService {
        var configuration = SimulatorConfiguration(accounts: [account])
        change(&configuration)
        return SimulatedService(configuration)
    }

    private func details(_ model: String, _ format: String, _ members: JSON) -> JSON {
        var request: JSON = ["apiFormat": .string(format)]
        if members["messages"] == nil, format != "COHERE" {
            request["messages"] = [["role": "USER", "content": [["type": "TEXT", "text": "hello there"]]]]
        }
        for member in members.object?.members ?? [] { request[member.name] = member.value }
        return [
            "compartmentId": .string(account.tenancy),
            "servingMode": ["servingType": "ON_DEMAND", "modelId": .string(model)], "chatRequest": request,
        ]
    }

    private func ask(
        _ service: SimulatedService, _ model: String, _ format: String = "GENERIC", _ members: JSON = [:]
    ) throws -> ReplyScript {
        let body = details(model, format, members).bytes
        return service.answer(try signer.request("POST", "/20231130/actions/chat", body: body)).script
    }

    /// The events of a stream without `pad`, which each JSON event must have; `[DONE]` as a string.
    private func events(
        _ model: String, _ format: String = "GENERIC", _ members: JSON = [:], pacing: Pacing = Pacing()
    ) throws -> [JSON] {
        var members = members
        members["isStream"] = true
        let script = try ask(service { $0.pacing = pacing }, model, format, members)
        try #require(script.status == 200)
        guard case .stream(let chunks, _, _) = script.form else {
            Issue.record("no stream")
            return []
        }
        return try chunks.map { chunk in
            let line = String(decoding: chunk.bytes, as: UTF8.self)
            try #require(line.hasPrefix("data: ") && line.hasSuffix("\n\n"))
            let data = line.dropFirst(6).dropLast(2)
            guard data != "[DONE]" else { return "[DONE]" }
            var event = try JSONParser.parse(Array(data.utf8))
            let pad = try #require(event["pad"]?.string)
            #expect(!pad.isEmpty && pad.allSatisfy { $0 == "a" })
            event["pad"] = nil
            return event
        }
    }

    private func whole(_ model: String, _ format: String = "GENERIC", _ members: JSON = [:]) throws -> JSON {
        let script = try ask(service(), model, format, members)
        guard case .whole(let body, nil) = script.form else {
            Issue.record("no whole answer")
            return .null
        }
        let json = try JSONParser.parse(body)
        try #require(script.status == 200, "\(json.text)")
        return try #require(json["chatResponse"])
    }

    private func text(_ text: String) -> JSON {
        ["index": 0, "message": ["role": "ASSISTANT", "content": [["type": "TEXT", "text": .string(text)]]]]
    }

    private static let tools: JSON = [
        "maxTokens": 50,
        "messages": [["role": "USER", "content": [["type": "TEXT", "text": "use get_weather and get_time"]]]],
        "tools": [
            [
                "type": "FUNCTION", "name": "get_weather", "description": "w",
                "parameters": [
                    "type": "object",
                    "properties": ["city": ["type": "string"], "unit": ["type": "string", "enum": ["c", "f"]]],
                    "required": ["city"],
                ],
            ],
            [
                "type": "FUNCTION", "name": "get_time", "description": "t",
                "parameters": [
                    "type": "object", "properties": ["offset": ["type": "integer"]], "required": ["offset"],
                ],
            ],
            [
                "type": "FUNCTION", "name": "other", "description": "o",
                "parameters": ["type": "object", "properties": [:]],
            ],
        ],
    ]

    // MARK: Text

    @Test func `Grok ends with a finish reason alone`() throws {
        let events = try events("xai.grok-4", "GENERIC", ["streamOptions": ["isIncludeUsage": true], "maxTokens": 50])
        #expect(events.prefix(4) == [text("You"), text(" said:"), text(" hello"), text(" there")])
        #expect(events[4] == ["finishReason": "stop"])
        #expect(
            events[5] == [
                "usage": [
                    "completionTokens": 4, "promptTokens": 5, "totalTokens": 17,
                    "completionTokensDetails": ["reasoningTokens": 8], "promptTokensDetails": ["cachedTokens": 0],
                ]
            ])
        #expect(events[6] == "[DONE]")
        #expect(events.count == 7)
    }

    @Test func `Llama begins and ends with empty text`() throws {
        let events = try events("meta.llama-3.3-70b-instruct")
        var finish = text("")
        finish["finishReason"] = "stop"
        #expect(
            events == [text(""), text("You"), text(" said:"), text(" hello"), text(" there"), finish, "[DONE]"])
    }

    @Test func `Gemini carries the last text in its finish`() throws {
        let events = try events("google.gemini-2.5-flash")
        var finish = text(" there")
        finish["finishReason"] = "stop"
        #expect(events == [text("You"), text(" said:"), text(" hello"), finish, "[DONE]"])
    }

    @Test(arguments: ["xai.grok-3-mini", "openai.gpt-oss-120b"]) func `Reasoning comes first`(model: String) throws {
        let events = try events(model)
        let reasoning = events.prefix(3).compactMap { $0["message"]?["reasoningContent"]?.string }
        #expect(reasoning.joined() == "The user wants an answer.")
        #expect(events[3] == text("You"))
    }

    @Test func `Cohere repeats everything at the end`() throws {
        let events = try events(
            "cohere.command-r-plus-08-2024", "COHERE",
            ["message": "hi", "preambleOverride": "Be brief", "streamOptions": ["isIncludeUsage": true]])
        #expect(
            events.dropLast() == ["You", " said:", " hi"].map { ["apiFormat": "COHERE", "text": .string($0)] })
        let last = try #require(events.last)
        #expect(last["text"] == "You said: hi")
        #expect(last["finishReason"] == "COMPLETE")
        #expect(
            last["chatHistory"] == [
                ["role": "USER", "message": "hi"], ["role": "CHATBOT", "message": "You said: hi"],
            ])
        #expect(last["usage"]?["completionTokens"] == 3)
    }

    @Test func `Cohere V 2 thinks first and ends without text`() throws {
        let events = try events("cohere.command-a-reasoning-08-2025", "COHEREV2")
        #expect(
            events.first == [
                "apiFormat": "COHEREV2",
                "message": ["role": "ASSISTANT", "content": [["type": "THINKING", "thinking": "The user"]]],
            ])
        #expect(
            events.last == [
                "apiFormat": "COHEREV2", "message": ["role": "ASSISTANT"], "finishReason": "COMPLETE",
            ])
        let quiet = try self.events(
            "cohere.command-a-reasoning-08-2025", "COHEREV2", ["thinking": ["type": "DISABLED"]])
        #expect(quiet.first?["message"]?["content"] == [["type": "TEXT", "text": "You"]])
    }

    @Test func `Pacing decides number and text of events`() throws {
        let events = try events("xai.grok-3", pacing: Pacing(events: 3, text: "ab"))
        #expect(events == [text("ab"), text("ab"), text("ab"), ["finishReason": "stop"], "[DONE]"])
    }

    @Test func `Several generations are told apart by index`() throws {
        let events = try events("meta.llama-3.3-70b-instruct", "GENERIC", ["numGenerations": 2])
        for index in 0...1 {
            let texts = events.filter { $0["index"]?.integer == index }.compactMap {
                $0["message"]?["content"]?.array?.first?["text"]?.string
            }
            #expect(texts.joined() == "You said: hello there")
        }
    }

    @Test func `Single newline separates when asked`() throws {
        let script = try ask(
            service { $0.pacing.separator = .singleNewline }, "xai.grok-3", "GENERIC", ["isStream": true])
        guard case .stream(let chunks, _, _) = script.form else {
            Issue.record("no stream")
            return
        }
        for chunk in chunks {
            let line = String(decoding: chunk.bytes, as: UTF8.self)
            #expect(line.hasSuffix("\n") && !line.hasSuffix("\n\n"))
        }
    }

    // MARK: Tools

    @Test func `Grok sends complete calls one per event`() throws {
        let events = try events("xai.grok-4", "GENERIC", Self.tools)
        let calls = events.compactMap { $0["message"]?["toolCalls"]?.array }
        #expect(calls.map(\.count) == [1, 1])
        #expect(calls.map { $0[0]["name"] } == ["get_weather", "get_time"])
        #expect(calls.map { $0[0]["arguments"] } == ["{\"city\":\"example\"}", "{\"offset\":1}"])
        #expect(Set(calls.map { $0[0]["id"]?.string }).count == 2)
        #expect(events.dropLast().last == ["finishReason": "tool_calls"])
    }

    @Test(arguments: ["meta.llama-3.3-70b-instruct", "openai.gpt-oss-120b"])
    func `Others send calls in fragments`(model: String) throws {
        let events = try events(model, "GENERIC", Self.tools)
        let fragments = events.compactMap { $0["message"]?["toolCalls"]?[0] }
        let heads = fragments.filter { $0["id"] != nil }
        #expect(heads.map { $0["name"] } == ["get_weather", "get_time"])
        #expect(heads.allSatisfy { ($0["arguments"]?.string ?? "").isEmpty })
        #expect(
            fragments.compactMap { $0["arguments"]?.string }.joined() == "{\"city\":\"example\"}{\"offset\":1}")
        #expect(fragments.contains { $0["id"] == nil && $0["arguments"] == "" } == model.hasPrefix("meta."))
        #expect(events.dropLast().last?["finishReason"] == "tool_calls")
    }

    @Test func `Gemini sends no IDs and stops`() throws {
        let events = try events("google.gemini-2.5-pro", "GENERIC", Self.tools)
        #expect(
            events.first == [
                "index": 0,
                "message": [
                    "role": "ASSISTANT", "content": [["type": "TEXT"]],
                    "toolCalls": [
                        ["type": "FUNCTION", "name": "get_weather", "arguments": "{\"city\":\"example\"}"]
                    ],
                ],
            ])
        #expect(events.dropLast().last?["finishReason"] == "stop")
    }

    @Test func `Cohere restates its calls`() throws {
        let tools: JSON = [
            "message": "use get_weather",
            "tools": [
                [
                    "name": "get_weather", "description": "w",
                    "parameterDefinitions": [
                        "days": ["type": "int", "isRequired": true], "unit": ["type": "str", "isRequired": false],
                    ],
                ]
            ],
        ]
        let events = try events("cohere.command-r-plus-08-2024", "COHERE", tools)
        let calls: JSON = [["name": "get_weather", "parameters": ["days": 1]]]
        #expect(events.compactMap { $0["toolCalls"] } == [calls, calls])
        #expect(events.last?["finishReason"] == "COMPLETE")
        let whole = try whole("cohere.command-r-plus-08-2024", "COHERE", tools)
        #expect(whole["toolCalls"] == calls)
    }

    @Test func `Cohere V 2 nests its calls`() throws {
        let tools: JSON = [
            "toolsChoice": "REQUIRED",
            "tools": [["type": "FUNCTION", "function": ["name": "now", "description": "n", "parameters": [:]]]],
        ]
        let events = try events("cohere.command-a-03-2025", "COHEREV2", tools)
        let call = events.first?["message"]?["toolCalls"]?[0]
        #expect(call?["function"] == ["name": "now", "arguments": "{}"])
        #expect(call?["id"]?.string?.isEmpty == false)
        #expect(events.last?["finishReason"] == "TOOL_CALL")
    }

    private static let choices: [(JSON, [String])] = [
        (["type": "NONE"], []), (["type": "AUTO"], ["get_weather", "get_time"]),
        (["type": "REQUIRED"], ["get_weather", "get_time"]), (["type": "FUNCTION", "name": "other"], ["other"]),
    ]

    @Test(arguments: choices)
    func `Tool choice is obeyed`(choice: JSON, names: [String]) throws {
        var request = Self.tools
        request["toolChoice"] = choice
        let message = try whole("xai.grok-4", "GENERIC", request)["choices"]?[0]?["message"]
        #expect((message?["toolCalls"]?.array ?? []).compactMap { $0["name"]?.string } == names)
    }

    @Test func `One call when parallel ones are not allowed`() throws {
        var request = Self.tools
        request["isParallelToolCalls"] = false
        let message = try whole("xai.grok-4", "GENERIC", request)["choices"]?[0]?["message"]
        #expect(message?["toolCalls"]?.array?.count == 1)
    }

    @Test func `Tool results are quoted`() throws {
        let choice = try whole(
            "meta.llama-3.3-70b-instruct", "GENERIC",
            [
                "maxTokens": 100,
                "messages": [
                    ["role": "USER", "content": [["type": "TEXT", "text": "use get_weather"]]],
                    [
                        "role": "ASSISTANT",
                        "toolCalls": [
                            ["id": "call_1", "type": "FUNCTION", "name": "get_weather", "arguments": "{}"],
                            ["id": "call_2", "type": "FUNCTION", "name": "get_weather", "arguments": "{}"],
                        ],
                    ],
                    ["role": "TOOL", "content": [["type": "TEXT", "text": "18C"]], "toolCallId": "call_1"],
                    ["role": "TOOL", "content": [["type": "TEXT", "text": "sunny"]], "toolCallId": "call_2"],
                ],
                "tools": Self.tools["tools"] ?? [],
            ])["choices"]?[0]
        #expect(choice?["message"]?["content"]?[0]?["text"] == "The tools answered: 18C; sunny")
        #expect(choice?["finishReason"] == "stop")
    }

    // MARK: Content

    @Test func `Images are counted`() throws {
        let image: JSON = ["type": "IMAGE", "imageUrl": ["url": "data:image/png;base64,AAECAw=="]]
        let response = try whole(
            "xai.grok-4", "GENERIC",
            [
                "maxTokens": 100,
                "messages": [
                    ["role": "USER", "content": [["type": "TEXT", "text": "What?"], image, image]]
                ],
            ])
        #expect(
            response["choices"]?[0]?["message"]?["content"]?[0]?["text"]
                == "I see 2 images (4 bytes, 4 bytes). You said: What?")
    }

    @Test func `Structured output fits its schema`() throws {
        let response = try whole(
            "xai.grok-4", "GENERIC",
            [
                "maxTokens": 100,
                "responseFormat": [
                    "type": "JSON_SCHEMA",
                    "jsonSchema": [
                        "name": "n",
                        "schema": [
                            "type": "object",
                            "properties": ["a": ["type": "array", "items": ["type": "boolean"]]],
                            "required": ["a"],
                        ],
                    ],
                ],
            ])
        #expect(response["choices"]?[0]?["message"]?["content"]?[0]?["text"] == "{\"a\":[true]}")
    }

    @Test func `Missing token limit is tiny`() throws {
        let words = Array(repeating: "word", count: 50).joined(separator: " ")
        let messages: JSON = [["role": "USER", "content": [["type": "TEXT", "text": .string(words)]]]]
        let short = try whole("meta.llama-3.3-70b-instruct", "GENERIC", ["messages": messages])
        #expect(short["choices"]?[0]?["finishReason"] == "length")
        #expect(short["usage"]?["completionTokens"] == 20)
        let full = try whole(
            "meta.llama-3.3-70b-instruct", "GENERIC", ["messages": messages, "maxTokens": 100])
        #expect(full["choices"]?[0]?["finishReason"] == "stop")
    }

    @Test func `Gemini thinks away a small limit`() throws {
        let response = try whole("google.gemini-2.5-pro", "GENERIC", ["maxTokens": 5])
        #expect(response["choices"]?[0]?["message"] == nil)
        #expect(response["choices"]?[0]?["finishReason"] == "max_tokens")
        #expect(response["usage"]?["completionTokens"] == nil)
        #expect(response["usage"]?["totalTokens"] == 10)
    }

    @Test func `Stop sequence cuts the text`() throws {
        let response = try whole("meta.llama-3.3-70b-instruct", "GENERIC", ["stop": [" there"]])
        #expect(response["choices"]?[0]?["message"]?["content"]?[0]?["text"] == "You said: hello")
    }

    @Test func `Whole answer has a time in RFC 3339`() throws {
        let service = service { $0.now = { 1_754_899_933.123 } }
        var signer = signer
        signer.date = 1_754_899_933
        let body = details("xai.grok-4", "GENERIC", [:]).bytes
        let script = service.answer(try signer.request("POST", "/20231130/actions/chat", body: body)).script
        guard case .whole(let bytes, _) = script.form else {
            Issue.record("no whole answer")
            return
        }
        #expect(try JSONParser.parse(bytes)["chatResponse"]?["timeCreated"] == "2025-08-11T08:12:13.123Z")
    }

    @Test(arguments: ["", "a", "two  spaces", "你好，世界 é👨‍👩‍👧", "line\nbreak and_a_very_long_word_without_spaces"])
    func `Pieces join to the text`(text: String) {
        #expect(Answer.pieces(of: text).joined() == text)
    }

    // MARK: Embeddings and rerank

    private func post(_ path: String, _ body: JSON) throws -> (Int, JSON) {
        let request = try signer.request("POST", "/20231130/actions/\(path)", body: body.bytes)
        let script = service().answer(request).script
        guard case .whole(let bytes, _) = script.form else { return (script.status, .null) }
        return (script.status, try JSONParser.parse(bytes))
    }

    private func embedding(_ members: JSON) -> JSON {
        var body: JSON = [
            "compartmentId": .string(account.tenancy),
            "servingMode": ["servingType": "ON_DEMAND", "modelId": "cohere.embed-v4.0"],
        ]
        for member in members.object?.members ?? [] { body[member.name] = member.value }
        return body
    }

    @Test func `Same text has the same embedding`() throws {
        let (status, result) = try post(
            "embedText", embedding(["inputs": ["a", "b", "a"], "outputDimensions": 256]))
        #expect(status == 200)
        let vectors = try #require(result["embeddings"]?.array)
        #expect(vectors.map { $0.array?.count } == [256, 256, 256])
        #expect(vectors[0] == vectors[2] && vectors[0] != vectors[1])
    }

    @Test func `Ninety seven inputs are refused`() throws {
        let inputs = JSON.array(Array(repeating: "a", count: 97))
        #expect(try post("embedText", embedding(["inputs": inputs])).0 == 400)
        #expect(try post("embedText", embedding(["inputs": ["a"], "outputDimensions": 100])).0 == 400)
        #expect(try post("embedText", embedding(["inputs": ["a"], "stranger": 1])).0 == 400)
    }

    @Test func `Rerank puts the likelier document first`() throws {
        var body = embedding(["input": "capital of France", "topN": 1, "isEcho": true])
        body["servingMode"] = ["servingType": "ON_DEMAND", "modelId": "cohere.rerank.v3-5"]
        body["documents"] = ["Rome", "Paris is the capital of France"]
        let (status, result) = try post("rerankText", body)
        #expect(status == 200)
        #expect(result["documentRanks"]?.array?.count == 1)
        #expect(result["documentRanks"]?[0]?["index"] == 1)
        #expect(result["documentRanks"]?[0]?["document"]?["text"] == "Paris is the capital of France")
    }

    /// What COHERE's types cannot say stands in the descriptions.
    @Test func `Arguments keep to what descriptions say`() throws {
        let definitions: JSON = [
            "unit": ["type": "str", "description": "Unit. One of: c, f", "isRequired": true],
            "at": [
                "type": "dict",
                "description":
                    #"Where. JSON schema: {"type":"object","properties":{"lat":{"type":"number"}},"required":["lat"]}"#,
                "isRequired": true,
            ],
            "days": [
                "type": "list", "description": #"JSON schema of an item: {"type":"integer"}"#, "isRequired": true,
            ],
        ]
        let answer = try whole(
            "cohere.command-r-plus-08-2024", "COHERE",
            [
                "message": "call f", "tools": [["name": "f", "description": "d", "parameterDefinitions": definitions]],
                "maxTokens": 100,
            ])
        let parameters = answer["toolCalls"]?.array?.first?["parameters"]
        #expect(parameters?["unit"] == "c" && parameters?["at"] == ["lat": 1.5] && parameters?["days"] == [1])
    }

    /// How users of the vendors' own services report it.
    @Test func `Models go on with the assistant's words, begin anew, or refuse`() throws {
        let messages: JSON = [
            ["role": "USER", "content": [["type": "TEXT", "text": "hello there"]]],
            ["role": "ASSISTANT", "content": [["type": "TEXT", "text": "You said:"]]],
        ]
        func text(_ model: String, _ format: String = "GENERIC") throws -> String? {
            let answer = try whole(model, format, ["messages": messages, "maxTokens": 100])
            let message = answer["choices"]?.array?.first?["message"] ?? answer["message"]
            return message?["content"]?.array?.compactMap { $0["text"]?.string }.joined()
        }
        #expect(try text("google.gemini-2.5-pro") == " hello there")
        #expect(try text("xai.grok-4") == "You said: hello there")
        #expect(try text("meta.llama-3.3-70b-instruct") == "You said: hello there")
        #expect(try text("cohere.command-a-vision-07-2025", "COHEREV2") == "You said: hello there")
        let refusing = CatalogueModel("google.gemini-3.6-flash", vendor: "google", "geminithree")
        let script = try ask(
            service { $0.catalogue = Catalogue([refusing]) }, refusing.name, "GENERIC", ["messages": messages])
        guard case .whole(let body, nil) = script.form else { throw ServiceError.notAuthorizedOrNotFound }
        #expect(script.status == 400 && String(decoding: body, as: UTF8.self).contains("model turn"))
    }

    @Test func `Models sample on demand, unless the request wants the same again`() throws {
        let service = service()
        service.add(Fault(.habit(.samples), times: nil))
        func text(_ members: JSON) throws -> String {
            guard case .whole(let body, nil) = try ask(service, "xai.grok-3", "GENERIC", members).form else {
                return ""
            }
            let answer = try JSONParser.parse(body)
            return answer["chatResponse"]?["choices"]?[0]?["message"]?["content"]?[0]?["text"]?.string ?? ""
        }
        let sampled = try (0..<4).map { _ in try text(["maxTokens": 100]) }
        #expect(Set(sampled).count == 4 && sampled.allSatisfy { $0.hasPrefix("You (") }, "\(sampled)")
        for same: JSON in [["maxTokens": 100, "seed": 7], ["maxTokens": 100, "temperature": 0]] {
            #expect(try text(same) == "You said: hello there")
        }
    }

    @Test func `Streams have probabilities when asked`() throws {
        let found = try events("xai.grok-4", "GENERIC", ["logProbs": 1, "maxTokens": 100]).compactMap {
            $0["logprobs"]?["tokens"]?.array?.first?.string
        }
        #expect(found.joined().contains("hello"))
        #expect(try events("xai.grok-4").allSatisfy { $0["logprobs"] == nil })
    }

    @Test func `A model can be asked for by itself`() throws {
        let model = try #require(Catalogue().models(in: account.region).first)
        let known = service().answer(try signer.request("GET", "/20231130/models/\(model.ocid(in: account.region))"))
            .script
        guard case .whole(let body, nil) = known.form else { throw ServiceError.notAuthorizedOrNotFound }
        let found = try JSONParser.parse(body)
        #expect(known.status == 200 && found["displayName"]?.string == model.name)
        #expect(
            service().answer(try signer.request("GET", "/20231130/models/ocid1.generativeaimodel.x")).script.status
                == 404)
    }

    /// A model that has a tool's result says so and stops, however often it is asked to call.
    @Test(arguments: ["xai.grok-4", "meta.llama-3.3-70b-instruct", "google.gemini-2.5-pro"])
    func `A loop ends`(model: String) throws {
        let messages: JSON = [
            ["role": "USER", "content": [["type": "TEXT", "text": "call f"]]],
            [
                "role": "ASSISTANT", "content": [["type": "TEXT", "text": "."]],
                "toolCalls": [["id": "a", "type": "FUNCTION", "name": "f", "arguments": "{}"]],
            ],
            ["role": "TOOL", "toolCallId": "a", "content": [["type": "TEXT", "text": "sun"]]],
        ]
        let tools: JSON = [
            ["type": "FUNCTION", "name": "f", "description": "d", "parameters": ["type": "object", "properties": [:]]]
        ]
        let answer = try whole(
            model, "GENERIC",
            ["messages": messages, "tools": tools, "toolChoice": ["type": "REQUIRED"], "maxTokens": 100])
        let message = answer["choices"]?.array?.first?["message"]
        #expect(
            message?["toolCalls"] == nil && message?["content"]?.array?.first?["text"]?.string?.contains("sun") == true)
    }
}

extension JSON {
    subscript(index: Int) -> JSON? {
        guard let array, array.indices.contains(index) else { return nil }
        return array[index]
    }
}
