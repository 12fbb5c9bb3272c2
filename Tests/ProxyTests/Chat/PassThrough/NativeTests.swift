import Foundation
import NIOCore
import NIOHTTP1
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// A provider that speaks the client's language gets what the client has sent, and its answer passes, both but for the model's name.
@Suite(.timeLimit(.minutes(5))) struct NativeTests {
    private static let events: [ProviderDialect: String] = [
        .messages: """
        event: message_start
        data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"their-name","content":[],"usage":{"input_tokens":5,"cache_read_input_tokens":2,"output_tokens":1}}}

        event: content_block_start
        data: {"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":0}

        event: message_delta
        data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}}

        event: message_stop
        data: {"type":"message_stop"}


        """,
        .responses: """
        event: response.created
        data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_9","object":"response","model":"their-name","output":[]}}

        event: response.output_item.added
        data: {"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"type":"web_search_call","id":"ws_1"}}

        event: response.completed
        data: {"type":"response.completed","sequence_number":2,"response":{"id":"resp_9","object":"response","model":"their-name","output":[],"usage":{"input_tokens":7,"output_tokens":9,"total_tokens":16}}}


        """,
        .completions: """
        data: {"id":"cmpl-1","object":"text_completion","model":"their-name","choices":[{"index":0,"text":"x","finish_reason":null}]}

        data: {"id":"cmpl-1","object":"text_completion","model":"their-name","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":9,"total_tokens":16}}

        data: [DONE]


        """,
    ]

    /// Requests that no chat model could be asked.
    private static let requests: [ProviderDialect: (path: String, body: String)] = [
        .messages: (
            "/v1/messages",
            #"{"model":"up/m", "max_tokens":9,"stream":true,"messages":[{"role":"user","content":"x"}],"tools":[{"type":"web_search_20250305","name":"web_search"}]}"#
        ),
        .responses: (
            "/v1/responses",
            #"{"model":"up/m", "stream":true,"input":"x","tools":[{"type":"web_search"}],"previous_response_id":"resp_8"}"#
        ),
        .completions: ("/v1/completions", #"{"model":"up/m", "stream":true,"prompt":[1,2,3]}"#),
    ]

    private func door(_ transport: FakeTransport, speaking dialects: Set<ProviderDialect>) throws -> FrontDoor {
        try FrontDoor.provider(transport, dialects: dialects)
    }

    @Test(arguments: [
        (
            ProviderDialect.messages,
            #"{"type":"error","error":{"type":"rate_limit_error","message":"slow down please"}}"#
        ),
        (
            .responses,
            #"{"error":{"code":"rate_limit_exceeded","type":"rate_limit_error","message":"slow down please"}}"#
        ),
    ])
    func `An error in place of a stream keeps its words`(_ dialect: ProviderDialect, document: String) throws {
        let reader = ChatReader.native(dialect, model: "up/m")
        let client = ChatCompletionsDialect(ChunkEnvelope(id: "x", created: 1, model: "m"))
        let failure = #expect(throws: Failure.self) {
            try reader.frames(of: Array(document.utf8), of: "up", to: client)
        }
        #expect(failure?.kind == .throttled && failure?.message.contains("slow down please") == true)
    }

    @Test(arguments: [(2, true), (1, false)]) func `All choices of a completion end`(asked: Int, isCut: Bool)
        async throws
    {
        let events =
            #"data: {"id":"c","choices":[{"index":0,"text":"x","finish_reason":"stop"}]}"# + "\n\n"
        let transport = FakeTransport(headers: ["content-type": "text/event-stream"], body: events)
        let answer = try await door(transport, speaking: [.chat, .completions]).answer(
            .POST, "/v1/completions", #"{"model":"up/m","stream":true,"prompt":[1],"n":\#(asked)}"#)
        #expect(answer.body.contains("[DONE]") != isCut, "\(answer.body)")
    }

    @Test(arguments: [
        (ProviderDialect.messages, "/v1/messages/count_tokens", #""messages":[{"role":"user","content":"x"}]"#),
        (.responses, "/v1/responses/input_tokens", #""input":"x""#),
    ])
    func `Who speaks the API counts, or else there is a guess`(
        _ dialect: ProviderDialect, path: String, members: String
    ) async throws {
        let body = #"{"model":"up/m",\#(members)}"#
        let transport = FakeTransport(body: #"{"input_tokens":77}"#)
        let answer = try await door(transport, speaking: [.chat, dialect]).answer(.POST, path, body)
        #expect(answer.body == #"{"input_tokens":77}"#)
        let request = try #require(transport.requests.first)
        #expect(request.url == "http://127.0.0.1:9\(path)")
        #expect(request.body.map { String(buffer: $0) } == body.replacing("up/m", with: "m"))
        let none = FakeTransport { _ in
            TransportResponse(status: 404, headers: [:], body: .fed([#"{"error":{"message":"Not Found"}}"#]))
        }
        let guess = try await door(none, speaking: [.chat, dialect]).answer(.POST, path, body)
        #expect(guess.status == 200 && guess.body.contains("input_tokens"), "\(guess.body)")
        #expect(none.requests.count >= 1)
    }

    // MARK: What upstreams keep

    /// A pool of two entries, each with responses of its own.
    private func pool(
        _ transport: FakeTransport, responses: ResponseStore? = nil, makers: ResponseMakers = ResponseMakers()
    ) throws -> FrontDoor {
        let time = ManualTime().source
        let members = try [9, 8].map { port in
            ProviderSettings(
                id: "up-\(port)", name: "up", baseURL: try #require(BaseURL("http://127.0.0.1:\(port)/v1")),
                token: Secret("sk-12345678"), models: ["m"], dialects: [.chat, .responses])
        }
        let router = Router(
            members.map { (Provider($0, transport: transport, time: time), Upstream.Settings()) },
            limits: .init(concurrency: 200, queue: 2000), strategy: RoundRobin(), time: time, random: { 0.5 },
            logger: .silent)
        return try .fixture(over: router, time: time, responses: responses, makers: makers)
    }

    private static func kept(_ request: TransportRequest) -> TransportResponse {
        let port = request.url.contains(":9/") ? 9 : 8
        if request.method != .POST {
            return TransportResponse(
                status: 200, headers: ["content-type": "application/json"], body: .fed(["\(request.method) at \(port)"])
            )
        }
        let document =
            #"{"id":"resp_at\#(port)","object":"response","output":[{"type":"message","id":"msg_at\#(port)","content":[]}]}"#
        return TransportResponse(status: 200, headers: [:], body: .fed([document]))
    }

    @Test(arguments: [
        #""previous_response_id":"resp_atN","input":"x""#, #""input":[{"type":"item_reference","id":"msg_atN"}]"#,
    ])
    func `What builds on a response goes to who has made it`(members: String) async throws {
        let transport = FakeTransport { Self.kept($0) }
        let door = try pool(transport)
        for _ in 0..<2 { _ = try await door.answer(.POST, "/v1/responses", #"{"model":"up/m","input":"x"}"#) }
        #expect(Set(transport.requests.map(\.url)).count == 2)
        for port in [8, 8, 9, 9, 9] {
            let body = #"{"model":"up/m",\#(members.replacing("N", with: "\(port)"))}"#
            let answer = try await door.answer(.POST, "/v1/responses", body)
            #expect(answer.status == 200, "\(answer.body)")
            #expect(transport.requests.last?.url == "http://127.0.0.1:\(port)/v1/responses")
        }
    }

    @Test func `A response is fetched, listed and deleted where it is`() async throws {
        let transport = FakeTransport { Self.kept($0) }
        let door = try pool(transport)
        for _ in 0..<2 { _ = try await door.answer(.POST, "/v1/responses", #"{"model":"up/m","input":"x"}"#) }
        for (method, rest) in [(HTTPMethod.GET, ""), (.GET, "/input_items?limit=2"), (.HEAD, ""), (.DELETE, "")] {
            for port in [8, 9] {
                let answer = try await door.answer(method, "/v1/responses/resp_at\(port)\(rest)", "")
                let asked = method == .HEAD ? HTTPMethod.GET : method
                #expect(answer.status == 200 && answer.body == (method == .HEAD ? "" : "\(asked) at \(port)"))
                let request = try #require(transport.requests.last)
                #expect(request.url == "http://127.0.0.1:\(port)/v1/responses/resp_at\(port)\(rest)")
                #expect(request.method == asked)
            }
        }
        let count = transport.requests.count
        let gone = try await door.answer(.GET, "/v1/responses/resp_at8", "")
        #expect(gone.status == 404 && transport.requests.count == count)
        #expect(try await door.answer(.GET, "/v1/responses/resp_unknown", "").status == 404)
        #expect(try await door.answer(.PUT, "/v1/responses/resp_at9", "").status == 405)
    }

    @Test func `What was sealed or kept here is no upstream's to read`() async throws {
        let transport = FakeTransport(
            body: #"{"choices":[{"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}]}"#)
        let store = ResponseStore(time: ManualTime().source)
        let seal = ReasoningSeals([ClientKey(name: "default", value: Secret(FrontDoor.key))])["default"]
        store.shelf(of: seal.owner).keep(
            "resp_own",
            input: [.init(id: "msg_own", bytes: Array(#"{"type":"message","role":"user","content":"y"}"#.utf8))],
            output: [], response: Array("{}".utf8))
        let sealed = seal.seal(Array("a thought".utf8)[...])
        for members in [
            #""input":"x","previous_response_id":"resp_own""#,
            #""input":[{"type":"item_reference","id":"msg_own"}]"#,
            #""input":[{"type":"reasoning","summary":[],"encrypted_content":"\#(sealed)"},{"role":"user","content":"x"}]"#,
        ] {
            let answer = try await pool(transport, responses: store).answer(
                .POST, "/v1/responses", #"{"model":"up/m",\#(members)}"#)
            #expect(answer.status == 200, "\(answer.body)")
            #expect(transport.requests.last?.url.hasSuffix("/chat/completions") == true)
        }
        let messages = try await door(transport, speaking: [.chat, .messages]).answer(
            .POST, "/v1/messages",
            #"{"model":"up/m","max_tokens":9,"messages":[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"thinking","thinking":"a thought","signature":"\#(sealed)"},{"type":"text","text":"y"}]},{"role":"user","content":"z"}]}"#
        )
        #expect(messages.status == 200 && transport.requests.last?.url.hasSuffix("/chat/completions") == true)
    }

    @Test func `What is kept here is counted, and no hosted tool works on it`() async throws {
        let transport = FakeTransport { _ in
            TransportResponse(status: 404, headers: [:], body: .fed([#"{"error":{"message":"Not Found"}}"#]))
        }
        let store = ResponseStore(time: ManualTime().source)
        let seal = ReasoningSeals([ClientKey(name: "default", value: Secret(FrontDoor.key))])["default"]
        let text = String(repeating: "word ", count: 400)
        store.shelf(of: seal.owner).keep(
            "resp_own",
            input: [.init(id: "msg_own", bytes: Array(#"{"type":"message","role":"user","content":"\#(text)"}"#.utf8))],
            output: [], response: Array("{}".utf8))
        let door = try pool(transport, responses: store)
        let count = try await door.answer(
            .POST, "/v1/responses/input_tokens", #"{"model":"up/m","input":"x","previous_response_id":"resp_own"}"#)
        let tokens = try #require(count.body.firstMatch(of: /"input_tokens":(\d+)/)?.1)
        #expect(count.status == 200 && Int(tokens) ?? 0 > 450, "\(count.body)")
        let calls = transport.requests.count
        let hosted = try await door.answer(
            .POST, "/v1/responses",
            #"{"model":"up/m","input":"x","previous_response_id":"resp_own","tools":[{"type":"web_search"}]}"#)
        #expect(hosted.status == 400 && hosted.body.contains("web_search"), "\(hosted.body)")
        #expect(transport.requests.count == calls)
        let odd = try await door.answer(
            .POST, "/v1/responses",
            #"{"model":"up/m","input":"x","previous_response_id":"resp_own","truncation":"always"}"#)
        #expect(odd.status == 400 && odd.body.contains("truncation"), "\(odd.body)")
    }

    @Test func `What another key has made is not there`() {
        let makers = ResponseMakers(limit: 3)
        let maker = ResponseMakers.Maker(home: "up", model: "m", name: "up/m")
        makers.note("a", of: "one", maker)
        #expect(makers.known("a", to: "one") == .made(maker) && makers.known("a", to: "two") == .foreign)
        makers.note("b", of: "two", maker)
        makers.note("c", of: "one", maker)
        // The key that has most loses its oldest.
        makers.note("d", of: "one", maker)
        #expect(makers.known("a", to: "one") == .nothing && makers.known("b", to: "two") == .made(maker))
        makers.forget("d", of: "one")
        #expect(makers.known("d", to: "one") == .nothing && makers.known("c", to: "one") == .made(maker))
        makers.note("", of: "one", maker)
        makers.note(String(repeating: "x", count: 257), of: "one", maker)
        #expect(makers.known("b", to: "two") == .made(maker))
        let many = ResponseMakers(limit: 1000)
        for number in 0..<5000 { many.note("\(number)", of: "\(number % 3)", maker) }
        #expect(many.known("4999", to: "1") == .made(maker) && many.known("100", to: "1") == .nothing)
    }

    @Test(arguments: [
        #""previous_response_id":"resp_at8","input":"x""#, #""input":[{"type":"item_reference","id":"msg_at8"}]"#,
        #""input":[{"id":"msg_at8"},{"role":"user","content":"x"}]"#,
        #""input":[{"type":"item_reference","id":"msg_at9"},{"type":"item_reference","id":"msg_at8"}]"#,
        #""previous_response_id":"resp_at9","previous_response_id":"resp_at8","input":"x""#,
        #""previous_response_id":"resp_at8","previous_response_id":"resp_at9","input":"x""#,
    ])
    func `Another key's responses and items are not to be built on`(members: String) async throws {
        let transport = FakeTransport { Self.kept($0) }
        let makers = ResponseMakers()
        let maker = ResponseMakers.Maker(home: "up-8", model: "m", name: "up/m")
        for id in ["resp_at8", "msg_at8"] { makers.note(id, of: "another", maker) }
        let door = try pool(transport, makers: makers)
        for path in ["/v1/responses", "/v1/responses/input_tokens"] {
            let answer = try await door.answer(.POST, path, #"{"model":"up/m",\#(members)}"#)
            #expect([400, 404].contains(answer.status) && answer.body.contains("not found"), "\(answer.body)")
        }
        #expect(transport.requests.isEmpty)
        #expect(try await door.answer(.GET, "/v1/responses/resp_at8", "").status == 404)
    }

    @Test(arguments: [ProviderDialect.messages, .responses, .completions])
    func `A stream passes`(_ dialect: ProviderDialect) async throws {
        let events = try #require(Self.events[dialect])
        let transport = FakeTransport(headers: ["content-type": "text/event-stream"], body: events)
        let (path, body) = try #require(Self.requests[dialect])
        let answer = try await door(transport, speaking: [.chat, dialect]).answer(.POST, path, body)
        #expect(answer.status == 200)
        #expect(answer.body == events.replacingOccurrences("their-name", "up/m"))
        let request = try #require(transport.requests.first)
        #expect(request.url == "http://127.0.0.1:9\(path)")
        #expect(request.body.map { String(buffer: $0) } == body.replacingOccurrences("up/m", "m"))
    }

    @Test(arguments: [ProviderDialect.messages, .responses, .completions])
    func `Nobody who speaks the language is a refusal in its words`(_ dialect: ProviderDialect) async throws {
        let transport = FakeTransport(body: "{}")
        let (path, body) = try #require(Self.requests[dialect])
        let answer = try await door(transport, speaking: [.chat]).answer(.POST, path, body)
        #expect(answer.status == 400 && transport.requests.isEmpty, "\(answer.body)")
    }

    @Test func `A document passes, byte for byte but for the name`() async throws {
        let document =
            #"{"id":"msg_1", "type":"message","role":"assistant","model":"their-name","content":[{"type":"text","text":"x"}],"usage":{"input_tokens":5,"output_tokens":1},"new":1}"#
        let transport = FakeTransport(body: document)
        let answer = try await door(transport, speaking: [.messages]).answer(
            .POST, "/v1/messages", #"{"model":"up/m","max_tokens":9,"messages":[{"role":"user","content":"x"}]}"#)
        #expect(answer.status == 200 && answer.body == document.replacingOccurrences("their-name", "up/m"))
    }

    @Test func `A stream that is cut ends with an error, and never as a whole one`() async throws {
        let events = try #require(Self.events[.responses])
        let cut = events.components(separatedBy: "event: response.completed")[0]
        let transport = FakeTransport(headers: ["content-type": "text/event-stream"], body: cut)
        let (path, body) = try #require(Self.requests[.responses])
        let answer = try await door(transport, speaking: [.responses]).answer(.POST, path, body)
        #expect(
            answer.body.contains("event: response.failed\n")
                && answer.body.contains(#""sequence_number":2,"response":{"id":"resp_9""#))
    }

    @Test func `Fields of the API pass with the request`() async throws {
        let transport = FakeTransport(body: #"{"type":"message","content":[]}"#)
        let door = try door(transport, speaking: [.messages])
        _ = try await door.answer(
            .POST, "/v1/messages", #"{"model":"up/m","max_tokens":9,"messages":[{"role":"user","content":"x"}]}"#,
            headers: ["anthropic-version": "2026-10-21", "anthropic-beta": "a,b"])
        let headers = try #require(transport.requests.first?.headers)
        #expect(headers["anthropic-version"] == ["2026-10-21"] && headers["anthropic-beta"] == ["a,b"])
        #expect(headers["authorization"] == ["Bearer sk-12345678"])
    }
}

extension String {
    fileprivate func replacingOccurrences(_ old: String, _ new: String) -> String { replacing(old, with: new) }
}
