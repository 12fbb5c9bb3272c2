import Testing

@testable import OCISimulator

/// Answers of the OpenAI-compatible path: form, habits of the families, faults, the record.
@Suite struct OpenAIAnswerTests: OpenAIPathSuite {
    let accounts: [SimulatedAccount]

    init() throws { accounts = try OpenAIPath.accounts() }

    // MARK: Content

    @Test func `A whole answer has OpenAI's form`() throws {
        let answer = try ask(chat(["n": 2], model: "meta.llama-3.3-70b-instruct")).json
        func choice(_ index: Int) -> JSON {
            [
                "index": .integer(index), "logprobs": .null, "finish_reason": "stop",
                "message": ["role": "assistant", "content": "You said: hello there", "refusal": .null],
            ]
        }
        #expect(
            answer == [
                "id": "chatcmpl-1", "object": "chat.completion", "created": 1_800_000_000,
                "model": "meta.llama-3.3-70b-instruct", "choices": [choice(0), choice(1)],
                "usage": ["prompt_tokens": 4, "completion_tokens": 4, "total_tokens": 8],
            ])
    }

    @Test func `A stream has OpenAI's form`() throws {
        let events = try events(["stream_options": ["include_usage": true]], model: "meta.llama-3.3-70b-instruct")
        func chunk(_ delta: JSON, reason: JSON = .null) -> JSON {
            [
                "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_800_000_000,
                "model": "meta.llama-3.3-70b-instruct", "usage": .null,
                "choices": [["index": 0, "delta": delta, "logprobs": .null, "finish_reason": reason]],
            ]
        }
        let texts = ["You", " said:", " hello", " there"].map { chunk(["content": .string($0)]) }
        #expect(events.first == chunk(["role": "assistant", "content": ""]))
        #expect(Array(events.dropFirst().prefix(4)) == texts)
        #expect(events[5] == chunk([:], reason: "stop"))
        #expect(events[6]["choices"] == [])
        #expect(events[6]["usage"]?["total_tokens"]?.integer.map { $0 > 4 } == true)
        #expect(events[7...] == ["[DONE]"])
    }

    @Test func `Usage comes only when asked for`() throws {
        let events = try events([:])
        #expect(events.last == "[DONE]")
        #expect(events.allSatisfy { $0["usage"] == nil })
    }

    @Test func `Grok leaves reasoning out of the completion tokens`() throws {
        let usage = try #require(try ask(chat()).json["usage"])
        #expect(usage["completion_tokens"] == 4)
        #expect(usage["completion_tokens_details"]?["reasoning_tokens"] == 8)
        let prompt = try #require(usage["prompt_tokens"]?.integer)
        #expect(usage["total_tokens"]?.integer == prompt + 12)
        #expect(usage["prompt_tokens_details"]?["cached_tokens"] == 0)
    }

    @Test func `Reasoning precedes the text`() throws {
        let deltas = try events([:], model: "openai.gpt-oss-120b").compactMap(delta)
        let kinds = deltas.compactMap { $0["reasoning_content"] != nil ? "r" : $0["content"] != nil ? "c" : nil }
        #expect(kinds.joined() == "crrrcccc")
        let message = try ask(chat(model: "openai.gpt-oss-120b")).json["choices"]?.array?[0]["message"]
        #expect(message?["reasoning_content"] == "The user wants an answer.")
    }

    @Test(arguments: ["xai.grok-4.3", "meta.llama-3.3-70b-instruct", "openai.gpt-oss-120b"])
    func `Tools are called the same streamed and whole`(model: String) throws {
        let whole = try ask(chat(OpenAIPath.tools, model: model)).json["choices"]?.array?[0]
        #expect(whole?["finish_reason"] == "tool_calls")
        #expect(whole?["message"]?["content"] == .null)
        let calls = try #require(whole?["message"]?["tool_calls"]?.array)
        #expect(calls.map { $0["function"]?["name"] } == ["get_weather", "get_time"])
        #expect(calls.map { $0["function"]?["arguments"] } == [#"{"city":"example"}"#, "{}"])
        #expect(calls.allSatisfy { $0["type"] == "function" && $0["index"] == nil })

        let events = try events(OpenAIPath.tools, model: model)
        let deltas = events.compactMap(delta).compactMap { $0["tool_calls"]?.array }.joined()
        for (index, call) in calls.enumerated() {
            let own = deltas.filter { $0["index"]?.integer == index }
            #expect(own.compactMap { $0["id"] } == [try #require(call["id"])])
            #expect(own.compactMap { $0["function"]?["name"] } == [try #require(call["function"]?["name"])])
            let arguments = own.compactMap { $0["function"]?["arguments"]?.string }.joined()
            #expect(arguments == call["function"]?["arguments"]?.string)
            #expect(model == "xai.grok-4.3" ? own.count == 1 : own.count > 1)
        }
        #expect(events.contains { $0["choices"]?.array?.first?["finish_reason"] == "tool_calls" })
    }

    @Test func `Tool results limits stops and schemas are heard`() throws {
        let results: JSON = [
            "messages": [
                ["role": "user", "content": "use get_time"],
                [
                    "role": "assistant",
                    "tool_calls": [
                        ["id": "a", "type": "function", "function": ["name": "get_time", "arguments": "{}"]]
                    ],
                ],
                ["role": "tool", "content": [["type": "text", "text": "noon"]], "tool_call_id": "a"],
            ]
        ]
        func choice(_ members: JSON, model: String = "meta.llama-3.3-70b-instruct") throws -> JSON? {
            try ask(chat(members, model: model)).json["choices"]?.array?[0]
        }
        #expect(try choice(results)?["message"]?["content"] == "The tools answered: noon")
        let limited = try choice(["max_tokens": 2])
        #expect(limited?["message"]?["content"] == "You said:" && limited?["finish_reason"] == "length")
        #expect(try choice(["stop": "hello"])?["message"]?["content"] == "You said: ")
        #expect(try choice(["max_completion_tokens": 3], model: "xai.grok-4.3")?["message"]?["content"] == "")
        let schema: JSON = [
            "response_format": [
                "type": "json_schema",
                "json_schema": [
                    "name": "s", "strict": true,
                    "schema": ["type": "object", "properties": ["a": ["type": "integer"]], "required": ["a"]],
                ],
            ]
        ]
        #expect(try choice(schema)?["message"]?["content"] == #"{"a":1}"#)
        // No tiny default of tokens here.
        let long = String(repeating: "word ", count: 50)
        let content = try choice(["messages": [["role": "user", "content": .string(long)]]])?["message"]?["content"]
        #expect(content?.string == "You said: " + long)
    }

    @Test func `Log probabilities follow the text`() throws {
        let logprobs = try ask(chat(["logprobs": true])).json["choices"]?.array?[0]["logprobs"]?["content"]?.array
        #expect(logprobs?.compactMap { $0["token"]?.string }.joined() == "You said: hello there")
        #expect(logprobs?.first?["bytes"] == [89, 111, 117])
    }

    // MARK: Faults and the record

    @Test func `Faults strike here as elsewhere`() throws {
        let service = service()
        service.add(Fault(.status(429, retryAfter: 7), account: "account_1", model: "xai.grok-4.3", kind: .chat))
        service.add(Fault(.status(503), kind: .models))
        let limited = service.answer(request(chat(["stream": true]))).script
        #expect(limited.status == 429 && limited.headers.contains { $0.name == "retry-after" && $0.value == "7" })
        service.add(Fault(.cut(afterEvents: 2), kind: .chat))
        service.add(Fault(.silentEnd(afterEvents: 99), kind: .chat))
        let cut = service.answer(request(chat(["stream": true]))).script
        #expect(cut.ending == .close)
        #expect(try events(cut).count == 2)
        let silent = try events(service.answer(request(chat(["stream": true]))).script)
        #expect(silent.count == 5)
        #expect(silent.allSatisfy { $0["choices"]?.array?[0]["finish_reason"] == .null })
        #expect(service.answer(request(path: "/openai/v1/models")).script.status == 503)
        #expect(service.answer(request(path: "/openai/v1/models")).script.status == 200)
        service.add(Fault(.empty))
        #expect(
            try read(service.answer(request(chat())).script).json["choices"]?.array?[0]["message"]?["content"] == "")
    }

    @Test func `Pacing sets the events`() throws {
        let service = service {
            $0.pacing = Pacing(events: 3, text: "ab", interval: .milliseconds(5), firstDelay: .milliseconds(9))
        }
        let script = service.answer(request(chat(["stream": true]))).script
        #expect(script.delay == .milliseconds(9))
        guard case .stream(let chunks, _, let interval) = script.form else {
            Issue.record("no stream")
            return
        }
        #expect(interval == .milliseconds(5))
        #expect(chunks.map(\.isPaced) == [false, true, true, true, false, false])
        #expect(try events(script).compactMap { delta($0)?["content"]?.string }.joined() == "ababab")
    }

    @Test func `The record has the body byte for byte`() throws {
        let service = service()
        var request = request(chat())
        request.body = Array(
            #" {"model" : "xai.grok-4.3","stream":true, "messages":[{"role":"user","content":"\u0041/\/é"}],"temperature":1.0}"#
                .utf8)
        #expect(service.answer(request).script.status == 200)
        let record = try #require(service.log.records.first)
        #expect(record.body == request.body)
        #expect(record.target == OpenAIPath.chat && record.method == "POST")
        #expect(record.kind == .chat && record.model == "xai.grok-4.3" && record.isStream)
        #expect(record.account == "account_1" && record.refusal == nil)
    }
}
