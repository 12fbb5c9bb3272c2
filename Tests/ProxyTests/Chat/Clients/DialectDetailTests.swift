import Foundation
import NIOCore
import NIOHTTP1
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// What no fixture holds: each a thing that has gone wrong, here or elsewhere.
@Suite(.timeLimit(.minutes(5))) struct DialectDetailTests {
    private static let chunks = [
        #"{"choices":[{"index":0,"delta":{"role":"assistant","content":"one"},"finish_reason":null}]}"#,
        #"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
        #"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}"#,
    ]

    private static func stream(_ chunks: [String] = chunks) -> FakeTransport {
        let body = (chunks + ["[DONE]"]).map { "data: \($0)\n\n" }
        return FakeTransport { _ in
            TransportResponse(status: 200, headers: ["content-type": "text/event-stream"], body: .fed(body))
        }
    }

    private static func document(_ content: String = "one", reason: String = "stop") -> FakeTransport {
        FakeTransport(
            body:
                #"{"choices":[{"index":0,"message":{"role":"assistant","content":"\#(content)"},"finish_reason":"\#(reason)"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}"#
        )
    }

    private static func asked(_ transport: FakeTransport, _ index: Int = 0) throws -> Golden.Object {
        let bytes = try #require(transport.requests[index].body).readableBytesView
        return try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? Golden.Object)
    }

    // MARK: Events stay in their lines

    @Test func `What a request breaks into lines is echoed in one`() async throws {
        let door = try FrontDoor.provider(Self.stream())
        let answer = try await door.answer(
            .POST, "/v1/responses",
            "{\"model\":\"up/m\",\"stream\":true,\"input\":\"x\",\"metadata\":{\n \"a\":\r\n\"b\\nc\"},\"tools\":[\n{\"type\":\"function\",\n\"name\":\"f\",\"parameters\":{\n}}]}"
        )
        for line in answer.body.split(separator: "\n") where line.hasPrefix("data: ") {
            #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(line.dropFirst(6).utf8)) }
        }
        #expect(answer.body.contains(#""metadata":{ "a":"b\nc"}"#))
    }

    // MARK: Reasoning that comes back

    @Test func `Sealed reasoning is for its key alone and survives`() {
        let seal = ReasoningSeal(secret: Array("one".utf8))
        let text = Array(#"I \"think\"\n"#.utf8)
        let sealed = seal.seal(text[...])
        #expect(sealed.hasPrefix("gw1.") && sealed.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 != 0x5C })
        #expect(ReasoningSeal(secret: Array("one".utf8)).open(Array(sealed.utf8)[...]) == text)
        #expect(ReasoningSeal(secret: Array("two".utf8)).open(Array(sealed.utf8)[...]) == nil)
        var changed = Array(sealed.utf8)
        changed[changed.count / 2] ^= 1
        #expect(seal.open(changed[...]) == nil)
        #expect(seal.open(Array("gw1.".utf8)[...]) == [] && seal.open(Array("EqoB".utf8)[...]) == nil)
    }

    @Test func `Hidden thinking goes back to the model with its signature`() async throws {
        let thinking = [
            #"{"choices":[{"index":0,"delta":{"reasoning_content":"Six "},"finish_reason":null}]}"#,
            #"{"choices":[{"index":0,"delta":{"reasoning_content":"times."},"finish_reason":null}]}"#,
        ]
        let transport = Self.stream(thinking + Self.chunks)
        let door = try FrontDoor.provider(transport)
        let first = try await door.answer(
            .POST, "/v1/messages",
            #"{"model":"up/m","max_tokens":9,"stream":true,"thinking":{"type":"adaptive","display":"omitted"},"messages":[{"role":"user","content":"x"}]}"#
        )
        let signature = try #require(first.body.firstMatch(of: /"signature_delta","signature":"([^"]+)"/)?.1)
        _ = try await door.answer(
            .POST, "/v1/messages",
            #"{"model":"up/m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"\#(signature)"},{"type":"text","text":"one"}]},{"role":"user","content":"y"}]}"#
        )
        let messages = try #require(try Self.asked(transport, 1)["messages"] as? [Golden.Object])
        #expect(messages[1]["reasoning_content"] as? String == "Six times.")
    }

    // MARK: What is kept

    @Test func `A response is kept, built on, listed and forgotten`() async throws {
        let transport = Self.document("Hello Ada.")
        let door = try FrontDoor.provider(transport)
        func object(_ answer: (status: Int, body: String)) throws -> Golden.Object {
            try #require(try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? Golden.Object)
        }
        let first = try object(
            try await door.answer(
                .POST, "/v1/responses", #"{"model":"up/m","input":"I am Ada.","instructions":"Be brief."}"#))
        let id = try #require(first["id"] as? String)
        _ = try await door.answer(
            .POST, "/v1/responses", #"{"model":"up/m","input":"Who am I?","previous_response_id":"\#(id)"}"#)
        let messages = try #require(try Self.asked(transport, 1)["messages"] as? [Golden.Object])
        #expect(messages.map { $0["role"] as? String } == ["user", "assistant", "user"])
        #expect(messages[1]["content"] as? String == "Hello Ada.")
        #expect(try object(try await door.answer(.GET, "/v1/responses/\(id)"))["id"] as? String == id)
        let items = try object(try await door.answer(.GET, "/v1/responses/\(id)/input_items"))
        let list = try #require(items["data"] as? [Golden.Object])
        #expect(list.count == 1 && (list[0]["id"] as? String)?.hasPrefix("msg_") == true)
        #expect(try await door.answer(.POST, "/v1/responses/\(id)/cancel").status == 400)
        #expect(try object(try await door.answer(.DELETE, "/v1/responses/\(id)"))["deleted"] as? Bool == true)
        #expect(try await door.answer(.GET, "/v1/responses/\(id)").status == 404)
        let unknown = try await door.answer(
            .POST, "/v1/responses", #"{"model":"up/m","input":"x","previous_response_id":"\#(id)"}"#)
        #expect(unknown.status == 400 && unknown.body.contains("previous_response_not_found"))
        let unkept = try object(
            try await door.answer(.POST, "/v1/responses", #"{"model":"up/m","input":"x","store":false}"#))
        #expect(unkept["store"] as? Bool == false)
        #expect(try await door.answer(.GET, "/v1/responses/\(try #require(unkept["id"] as? String))").status == 404)
    }

    private static func item(_ id: String, bytes: Int = 10) -> ResponseStore.Item {
        ResponseStore.Item(id: id, bytes: [UInt8](repeating: 0x20, count: bytes))
    }

    @Test func `Of another key a response is as unknown as any`() async throws {
        let store = ResponseStore(time: ManualTime().source)
        store.shelf(of: "a").keep("resp_1", input: [], output: [Self.item("msg_1")], response: [1])
        #expect(store.shelf(of: "a")["resp_1"]?.response == [1] && store.shelf(of: "a").item("msg_1") != nil)
        #expect(store.shelf(of: "b")["resp_1"] == nil && store.shelf(of: "b").item("msg_1") == nil)
        #expect(try await !store.shelf(of: "b").erase("resp_1"))
        #expect(try await store.shelf(of: "a").erase("resp_1"))
        #expect(store.size.count == 0 && store.size.bytes == 0 && store.shelf(of: "a").item("msg_1") == nil)
    }

    @Test func `An item is found as long as any response has it`() async throws {
        let time = ManualTime()
        let store = ResponseStore(limits: .init(count: 10, bytes: 100_000), time: time.source)
        let shelf = store.shelf(of: "a")
        shelf.keep("r1", input: [Self.item("i")], output: [], response: [])
        shelf.keep("r2", input: [Self.item("i"), Self.item("j")], output: [], response: [])
        #expect(try await shelf.erase("r2"))
        #expect(shelf.item("i") != nil && shelf.item("j") == nil)
        // To refer to an item is to use its response.
        for number in 0..<9 { shelf.keep("s\(number)", input: [], output: [], response: []) }
        #expect(shelf.item("i") != nil)
        shelf.keep("s9", input: [], output: [], response: [])
        #expect(shelf["r1"] != nil && shelf["s0"] == nil)
        #expect(try await shelf.erase("r1"))
        #expect(shelf.item("i") == nil)
    }

    @Test(.timeLimit(.minutes(1))) func `Many items of one name cost no more than others`() async throws {
        let store = ResponseStore(time: ManualTime().source)
        let shelf = store.shelf(of: "a")
        let items = (0..<30_000).map { _ in Self.item("x", bytes: 1) }
        for number in 0..<4 { shelf.keep("r\(number)", input: items, output: [], response: []) }
        let start = ContinuousClock.now
        for number in 0..<4 { #expect(try await shelf.erase("r\(number)")) }
        // It was half a minute for one of them.
        #expect(ContinuousClock.now - start < .seconds(20) && shelf.item("x") == nil)
    }

    @Test func `The store is bounded in time, number and bytes`() {
        let time = ManualTime()
        let store = ResponseStore(
            limits: .init(timeToLive: .seconds(100), count: 10, bytes: 100_000), time: time.source)
        let (one, other) = (store.shelf(of: "a"), store.shelf(of: "b"))
        for number in 0..<10 { one.keep("r\(number)", input: [], output: [], response: []) }
        #expect(one["r0"] != nil)
        one.keep("r10", input: [], output: [], response: [])
        // What was used least lately has gone.
        #expect(one["r0"] != nil && one["r1"] == nil && one["r10"] != nil && store.size.count <= 10)
        one.keep("large", input: [Self.item("i", bytes: 20_000)], output: [], response: [])
        #expect(one["large"] == nil)
        for number in 0..<20 {
            other.keep("s\(number)", input: [Self.item("i\(number)", bytes: 9_000)], output: [], response: [])
        }
        #expect(store.size.bytes <= 100_000 && one["r10"] != nil && other["s19"] != nil)
        time.advance(by: .seconds(101))
        #expect(one["r10"] == nil && other["s19"] == nil)
        one.keep("r11", input: [], output: [], response: [])
        store.configure(.init(isOn: false))
        #expect(store.size.count == 0 && !one.isOn)
    }

    /// A reference costs a few bytes, and what it stands for may have millions.
    @Test func `Many references to something large are refused`() throws {
        let shelf = ResponseStore(time: ManualTime().source).shelf(of: "k")
        let text = String(repeating: "x", count: 1 << 20)
        shelf.keep(
            "resp_1", input: [],
            output: [
                .init(
                    id: "msg_1",
                    bytes: Array(#"{"type":"message","id":"msg_1","role":"user","content":"\#(text)"}"#.utf8))
            ],
            response: [])
        let references = Array(repeating: #"{"type":"item_reference","id":"msg_1"}"#, count: 100).joined(separator: ",")
        #expect(throws: Failure.self) {
            try ResponsesRequest(
                Array(#"{"model":"m","input":[\#(references)]}"#.utf8), unsealing: ReasoningSeal(secret: []),
                from: shelf)
        }
    }

    @Test(
        .timeLimit(.minutes(5)),
        arguments: [
            #"{"role":"system","content":"x","clear_at":"next_user_message"}"#,
            #"{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"x"}]}"#,
        ])
    func `Many odd messages are read in linear time`(message: String) throws {
        let messages = Array(repeating: message, count: 40_000).joined(separator: ",")
        let body = Array(#"{"model":"m","max_tokens":1,"messages":[\#(messages),{"role":"user","content":"x"}]}"#.utf8)
        _ = try MessagesRequest(body, unsealing: ReasoningSeal(secret: []))
    }

    // MARK: Providers that refuse what only tunes

    @Test func `What a provider refuses by name is left out from then on`() async throws {
        let transport = FakeTransport { request in
            let body = request.body.map { String(buffer: $0) } ?? ""
            guard !body.contains("prompt_cache_key") else {
                return TransportResponse(
                    status: 400, headers: ["content-type": "application/json"],
                    body: .fed([
                        #"{"error":{"message":"property 'prompt_cache_key' is unsupported","type":"invalid_request_error"}}"#
                    ]))
            }
            return TransportResponse(
                status: 200, headers: ["content-type": "application/json"],
                body: .fed([
                    #"{"choices":[{"index":0,"message":{"role":"assistant","content":"one"},"finish_reason":"stop"}]}"#
                ]))
        }
        let door = try FrontDoor.provider(transport)
        let request = #"{"model":"up/m","input":"x","prompt_cache_key":"k","store":false}"#
        #expect(try await door.answer(.POST, "/v1/responses", request).status == 200)
        #expect(transport.requests.count == 2)
        #expect(try await door.answer(.POST, "/v1/responses", request).status == 200)
        #expect(transport.requests.count == 3)
        // A client of chat completions gets what it has asked for.
        let chat = #"{"model":"up/m","messages":[{"role":"user","content":"x"}],"prompt_cache_key":"k"}"#
        #expect(try await door.answer(.POST, "/v1/chat/completions", chat).status == 400)
    }

    @Test(arguments: [
        ("max_tokens is too large: 128000. This model supports at most 16384 completion tokens.", "max_tokens", 16_384),
        ("`max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens`", "max_tokens", 8192),
        (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
            "max_completion_tokens", 128_000
        ),
        (
            "This model's maximum context length is 131072 tokens. However, you requested 138000 tokens (10000 in the messages, 128000 in the completion).",
            "max_tokens", 120_944
        ),
    ])
    func `A limit that a provider refuses is brought down to its own`(message: String, member: String, limit: Int)
        async throws
    {
        let body = #"{"error":{"message":"\#(message)","type":"invalid_request_error"}}"#
        let transport = FakeTransport { request in
            let text = request.body.map { String(buffer: $0) } ?? ""
            let isRefused = text.contains(#""max_tokens":128000"#)
            return TransportResponse(
                status: isRefused ? 400 : 200, headers: ["content-type": "application/json"],
                body: .fed([
                    isRefused
                        ? body
                        : #"{"choices":[{"index":0,"message":{"role":"assistant","content":"one"},"finish_reason":"stop"}]}"#
                ]))
        }
        let answer = try await FrontDoor.provider(transport).answer(
            .POST, "/v1/messages", #"{"model":"up/m","max_tokens":128000,"messages":[{"role":"user","content":"x"}]}"#)
        #expect(answer.status == 200, "\(answer.body)")
        #expect(try Self.asked(transport, 1)[member] as? Int == limit)
    }

    // MARK: Names

    @Test func `A model is called as the client calls it`() async throws {
        let door = try FrontDoor.provider(Self.document())
        let body = #"{"model":"up/m[1m]","max_tokens":9,"messages":[{"role":"user","content":"x"}]}"#
        #expect(try await door.answer(.POST, "/v1/messages", body).body.contains(#""model":"up/m[1m]""#))
        let count = try await door.answer(.POST, "/v1/messages/count_tokens", body)
        #expect(count.status == 200 && count.body.contains(#""input_tokens":"#))
    }

    @Test func `An unknown name goes where the star says`() throws {
        let catalog = ModelCatalog(
            aliases: [("fast", "xai.grok-4-fast"), ("*", "fast")], accounts: [ModelCatalog.Account(region: "r")])
        #expect(try catalog.resolve("claude-x", for: .chat, by: nil).modelID == "xai.grok-4-fast")
        #expect(!catalog.entries.contains { $0.name == "*" })
        #expect(throws: Failure.self) { try catalog.resolve("claude-x", for: .embeddings, by: nil) }
        #expect(try catalog.resolveWithWildcard("claude-x", by: nil).modelID == "xai.grok-4-fast")
        #expect(throws: Failure.self) {
            try ModelCatalog(aliases: [], accounts: []).resolveWithWildcard("claude-x", by: nil)
        }
    }

    @Test func `The list of models has the form that its reader knows`() async throws {
        let door = try FrontDoor.fixture()
        let plain = try await door.answer(.GET, "/v1/models").body
        #expect(!plain.contains("has_more"))
        let page = try await door.answer(.GET, "/v1/models?limit=1", headers: ["anthropic-version": "2023-06-01"]).body
        let root = try #require(try JSONSerialization.jsonObject(with: Data(page.utf8)) as? Golden.Object)
        let data = try #require(root["data"] as? [Golden.Object])
        #expect(data.count == 1 && data[0]["type"] as? String == "model" && root["has_more"] as? Bool == true)
        #expect(root["first_id"] as? String == data[0]["id"] as? String && data[0]["display_name"] != nil)
        let rest = try await door.answer(
            .GET, "/v1/models?after_id=\(data[0]["id"] as? String ?? "")", headers: ["anthropic-version": "x"]
        ).body
        #expect(rest.contains(#""has_more":false"#))
        #expect(try await door.answer(.GET, "/v1/models/grok-4%5B1m%5D").body.contains(#""id":"grok-4""#))
    }

    @Test func `Each path of responses is listed, and says what it is for`() async throws {
        let door = try FrontDoor.fixture()
        let root = try await door.answer(.GET, "/").body
        for title in [
            "GET,DELETE /v1/responses/{id}", "GET /v1/responses/{id}/input_items", "POST /v1/responses/{id}/cancel",
        ] {
            #expect(root.contains(title))
        }
        for (method, path) in [
            (HTTPMethod.POST, "/v1/responses/resp_1"), (.DELETE, "/v1/responses/resp_1/input_items"),
            (.GET, "/v1/responses/resp_1/cancel"),
        ] {
            #expect(try await door.answer(method, path).status == 405)
        }
    }

    @Test func `Failures of the door have the form of the API that is spoken`() async throws {
        let door = try FrontDoor.fixture()
        for (path, headers) in [
            ("/v1/messages", HTTPHeaders()), ("/v1/messages/batches", [:]),
            ("/v1/files", ["anthropic-version": "2023-06-01"]),
        ] as [(String, HTTPHeaders)] {
            let answer = try await door.answer(path == "/v1/messages" ? .GET : .POST, path, headers: headers)
            #expect(answer.status == (path == "/v1/messages" ? 405 : 404))
            #expect(answer.body.hasPrefix(#"{"type":"error","error":{"type":"#), "\(answer.body)")
        }
    }

    // MARK: Completions

    @Test(arguments: [
        // A fence, the repeated line, and the text behind the gap.
        ("def f(a):\n    return ", "  # sum\n", ["```python\n    ret", "urn a + b", "  # sum\n```"], "a + b"),
        ("def f(a):\n    return ", "\n\nprint(f(1))\n", ["a", " + b\n\npri", "nt(f(1))"], "a + b"),
        // The line behind the gap stands in the answer as well, and the answer goes on.
        (
            "def f(x):\n", "    return None\n", ["    if not x:\n", "        return None\n    y = 1"],
            "    if not x:\n        return None\n    y = 1"
        ),
        ("x = ", "", ["1"], "1"),
        ("x = ", "\n", ["``"], "``"),
        ("def f(a):\n    return ", "  # sum\n", ["```python\n    return a + b  # sum\n\n```"], "a + b"),
        ("def f(a):\n    return ", "\n\nprint(f(1))\n", ["```\n    return a + b\n\nprint(f(1))\n\n```\n"], "a + b"),
        // Brackets may be the answer's own.
        ("(f ", "))))", ["(g (h (i (j x))))"], "(g (h (i (j x))))"),
    ])
    func `Only what belongs into a gap is told`(before: String, after: String, pieces: [String], told: String) {
        var trimmer = GapTrimmer(.init(before: ChatDraft.escaped(before), after: ChatDraft.escaped(after)))
        var text: [UInt8] = []
        for piece in pieces { text += trimmer.take(ChatDraft.escaped(piece)) }
        text += trimmer.end()
        #expect(JSONString.decode(text[...]) == told)
        // The same, byte by byte as the wire may cut it.
        var single = GapTrimmer(.init(before: ChatDraft.escaped(before), after: ChatDraft.escaped(after)))
        text = []
        for byte in pieces.joined().unicodeScalars { text += single.take(ChatDraft.escaped(String(byte))) }
        #expect(JSONString.decode((text + single.end())[...]) == told)
    }

    @Test(arguments: [
        #"<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>"#, #"\u003cPRE\u003ea<SUF>b<MID>"#, "[SUFFIX]b[PREFIX]a",
        "<|fim_prefix|>a<|fim_suffix|>b",
        "<｜fim▁begin｜>a<｜fim▁hole｜>b<｜fim▁end｜>",
    ])
    func `Marks of a gap are told in words`(prompt: String) throws {
        let request = try CompletionsRequest(Array(#"{"model":"m","prompt":"\#(prompt)"}"#.utf8))
        #expect(String(decoding: request.chats[0], as: UTF8.self).contains("<prefix>a</prefix><suffix>b</suffix>"))
    }

    @Test func `No tokens are no text, and nobody is asked`() async throws {
        let transport = Self.document()
        let door = try FrontDoor.provider(transport)
        let answer = try await door.answer(
            .POST, "/v1/completions", #"{"model":"up/m","prompt":["a","b"],"max_tokens":0,"echo":true,"n":2}"#)
        let root = try #require(try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? Golden.Object)
        let choices = try #require(root["choices"] as? [Golden.Object])
        #expect(choices.map { $0["text"] as? String } == ["a", "a", "b", "b"])
        #expect(choices.map { $0["index"] as? Int } == [0, 1, 2, 3])
        #expect(choices.allSatisfy { $0["finish_reason"] as? String == "length" } && transport.requests.isEmpty)
        let stream = try await door.answer(
            .POST, "/v1/completions", #"{"model":"up/m","prompt":"a","max_tokens":0,"stream":true}"#)
        #expect(stream.body.hasSuffix("data: [DONE]\n\n") && transport.requests.isEmpty)
    }

    @Test(arguments: [
        ("/v1/completions", #""prompt":"x","max_tokens":-1"#, "max_tokens"),
        ("/v1/messages", #""messages":[{"role":"user","content":"x"}],"max_tokens":-1"#, "max_tokens"),
        ("/v1/responses", #""input":"x","max_output_tokens":0"#, "max_output_tokens"),
        ("/v1/responses", #""input":[{"type":"foo"}]"#, "'foo'"),
        ("/v1/responses", #""input":[]"#, "'input' has nothing"),
        ("/v1/responses", #""input":"x","tools":[{"type":"function","name":"a b"}]"#, "tools[0].name"),
        (
            "/v1/messages",
            #""messages":[{"role":"user","content":"x"}],"max_tokens":9,"tools":[{"name":"a b","input_schema":{"type":"object"}}]"#,
            "tools.0.name"
        ),
        ("/v1/responses", #""input":"x","previous_response_id":"resp_1""#, "responses_ttl"),
    ])
    func `What cannot be is said with its place`(path: String, members: String, word: String) async throws {
        let answer = try await FrontDoor.fixture().answer(.POST, path, #"{"model":"grok-4",\#(members)}"#)
        #expect((400...404).contains(answer.status) && answer.body.contains(word), "\(answer.body)")
    }

    @Test func `Settings are not copied for prompt after prompt`() throws {
        let long = String(repeating: "u", count: 200_000)
        let prompts = Array(repeating: #""a""#, count: 20).joined(separator: ",")
        #expect(throws: Failure.self) {
            try CompletionsRequest(Array(#"{"model":"m","prompt":[\#(prompts)],"user":"\#(long)"}"#.utf8))
        }
        #expect(throws: Failure.self) {
            try CompletionsRequest(Array(#"{"model":"m","prompt":"\#(long)","echo":true,"n":1000}"#.utf8))
        }
    }

    @Test(arguments: ["gpt-5.1", "gpt-5-codex", "gpt-5-pro", "gpt-5-chat", "olmo3", "o3-pro"])
    func `Only models that know it are told to think little`(model: String) throws {
        let request = try CompletionsRequest(Array(#"{"model":"\#(model)","prompt":"x"}"#.utf8))
        #expect(!String(decoding: request.chats[0], as: UTF8.self).contains("reasoning_effort"))
        let known = try CompletionsRequest(Array(#"{"model":"up/openai.gpt-5-mini","prompt":"x"}"#.utf8))
        #expect(String(decoding: known.chats[0], as: UTF8.self).contains(#""reasoning_effort":"minimal""#))
    }

    @Test(arguments: [
        #""x-anthropic-billing-header: cc=1;\nReal""#,
        #"[{"type":"text","text":"x-anthropic-billing-header: cc=1;\nReal"}]"#,
        #"[{"type":"text","text":"x-anthropic-billing-header: cc=1;"},{"type":"text","text":"Real"}]"#,
    ])
    func `The billing line goes, and nothing else`(system: String) async throws {
        let transport = Self.document()
        _ = try await FrontDoor.provider(transport).answer(
            .POST, "/v1/messages",
            #"{"model":"up/m","max_tokens":9,"system":\#(system),"messages":[{"role":"user","content":"x"}]}"#)
        let messages = try #require(try Self.asked(transport)["messages"] as? [Golden.Object])
        #expect(messages.map { $0["content"] as? String } == ["Real", "x"])
    }

    @Test func `Several prompts are one answer, streamed too`() async throws {
        let door = try FrontDoor.provider(Self.document(" and"))
        let answer = try await door.answer(
            .POST, "/v1/completions",
            #"{"model":"up/m","prompt":["One","Two"],"echo":true,"stream":true,"stream_options":{"include_usage":true}}"#
        )
        #expect(
            answer.body.contains(#""index":0,"text":"One and""#) && answer.body.contains(#""index":1,"text":"Two and""#)
        )
        #expect(answer.body.contains(#""total_tokens":8"#) && answer.body.hasSuffix("data: [DONE]\n\n"))
    }

    @Test func `Nothing to say is an answer, and speaks against nobody`() async throws {
        let transport = Self.document("")
        let door = try FrontDoor.provider(transport)
        for _ in 0..<8 {
            let answer = try await door.answer(.POST, "/v1/completions", #"{"model":"up/m","prompt":"x"}"#)
            #expect(answer.status == 200 && answer.body.contains(#""text":"""#))
        }
        #expect(transport.requests.count == 8)
    }

    // MARK: Calls whose pieces are mixed

    @Test(arguments: [
        (#"{\"a\":1}"#, true), (#"{\"a\":\"}\"}"#, true), (#"{\"a\":\"\\\"}\"}"#, true), (#"{\"a\""#, false),
        ("", false),
        (#"{\"a\":\"\\\\\"}"#, true), (#"[{}]"#, true), (#"{\"a\":[}"#, false), (#"{\"a\":\"\u007d"#, false),
    ])
    func `It is known when arguments are whole`(escaped: String, isWhole: Bool) {
        var scan = ArgumentsScan()
        for byte in escaped.utf8 { scan.take([byte][...]) }
        #expect(scan.isWhole == isWhole)
    }

    @Test func `What is said in the middle of a call waits for its end, in order`() async throws {
        func call(_ arguments: String) -> String {
            #"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"\#(arguments)"}}]}}]}"#
        }
        func text(_ text: String) -> String { #"{"choices":[{"index":0,"delta":{"content":"\#(text)"}}]}"# }
        let transport = Self.stream([
            call(#"{\"a\":"#), text("A"), call("1}"), text("B"),
            #"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
        ])
        let answer = try await FrontDoor.provider(transport).answer(
            .POST, "/v1/messages",
            #"{"model":"up/m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"x"}],"tools":[{"name":"f","input_schema":{"type":"object"}}]}"#
        )
        let told = answer.body.matches(of: /"text_delta","text":"([^"]*)"/).map { String($0.1) }
        #expect(told.joined() == "AB")
        #expect(answer.body.contains(#""stop_reason":"tool_use""#))
    }
}
