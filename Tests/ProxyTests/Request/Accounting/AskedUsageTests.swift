import LedgerTestSupport
import NIOCore
import NIOHTTP1
import ProxyAccounting
import ProxyTestSupport
import Synchronization
import Testing

@testable import Proxy
@testable import ProxyRouting

/// A door over a provider `up`, whose requests are written down.
struct ProviderBench {
    let transport: FakeTransport
    let ledger = KeptLedger()
    let door: FrontDoor

    init(
        _ key: ClientKey = .fixture, isBooked: Bool = true, dialects: Set<ProviderDialect>? = nil,
        prices: Prices = Prices(), aliases: [(name: String, target: String)] = [],
        _ answer: @escaping FakeTransport.Responder
    ) throws {
        transport = FakeTransport(answer)
        let time = ManualTime()
        let settings = ProviderSettings(
            id: "up", name: "up", baseURL: try #require(BaseURL("http://127.0.0.1:9/v1")), token: nil,
            dialects: dialects)
        let router = Router(
            [(Provider(settings, transport: transport, time: time.source), Upstream.Settings())],
            limits: .init(concurrency: 200, queue: 2000), strategy: RoundRobin(), time: time.source, logger: .silent)
        door = try FrontDoor.fixture(
            over: router, time: time.source, keys: [key], aliases: aliases, ledger: isBooked ? ledger : nil,
            prices: prices)
    }

    /// The body of a request that has been sent to the upstream.
    func sent(_ number: Int) -> String {
        let requests = transport.requests
        return requests.indices.contains(number) ? requests[number].body.map { String(buffer: $0) } ?? "" : ""
    }
}

extension TransportResponse {
    static func stream(_ events: [String]) -> TransportResponse {
        TransportResponse(
            status: 200, headers: ["content-type": "text/event-stream"],
            body: .fed(events.map { "data: \($0)\n\n" }))
    }

    static func json(_ status: Int, _ body: String) -> TransportResponse {
        TransportResponse(status: status, headers: ["content-type": "application/json"], body: .fed([body]))
    }
}

/// The usage of streams whose client has not asked for it.
@Suite struct AskedUsageTests {
    private static let usage =
        #""usage":{"prompt_tokens":7,"completion_tokens":900,"total_tokens":907,"completion_tokens_details":{"reasoning_tokens":890}}"#

    private static func asksUsage(_ request: TransportRequest) -> Bool {
        request.body.map { String(buffer: $0) }?.contains(#""include_usage":true"#) == true
    }

    /// As OpenAI does: who asks gets nulls, and an event of its own.
    private static func openAI(_ request: TransportRequest) -> TransportResponse {
        let asks = asksUsage(request)
        let null = asks ? #","usage":null"# : ""
        return .stream(
            [
                #"{"id":"x","model":"m","choices":[{"index":0,"delta":{"content":"four"},"finish_reason":null}]\#(null)}"#,
                #"{"id":"x","model":"m"\#(null),"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
            ] + (asks ? [#"{"id":"x","model":"m","choices":[],\#(usage)}"#] : []) + ["[DONE]"])
    }

    private static func chat(_ more: String = "") -> String {
        #"{"model":"up/m","stream":true,"messages":[{"role":"user","content":"hi"}]\#(more)}"#
    }

    /// What a client gets of an upstream that nobody has asked.
    private static let unasked = """
        data: {"id":"x","model":"up/m","choices":[{"index":0,"delta":{"content":"four"},"finish_reason":null}]}

        data: {"id":"x","model":"up/m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

        data: [DONE]


        """

    @Test func `The proxy asks for it, and the client gets what it would have got`() async throws {
        let bench = try ProviderBench { Self.openAI($0) }
        for more in [
            "", #","stream_options":null"#, #","stream_options":{}"#, #","stream_options":{"include_usage":false}"#,
        ] {
            let answer = try await bench.door.answer(toChat: Self.chat(more))
            #expect(answer.status == 200)
            #expect(answer.body == Self.unasked)
        }
        #expect(bench.transport.requests.count == 4)
        #expect(bench.transport.requests.allSatisfy(Self.asksUsage))
        for row in bench.ledger.entries {
            #expect(row.usage.truth == .reported)
            #expect(row.usage.completion == 900)
            #expect(row.usage.reasoning == 890)
            #expect(row.chargedTokens == 907)
        }
    }

    @Test func `Who asks for it gets it`() async throws {
        let bench = try ProviderBench { Self.openAI($0) }
        let asked = Self.chat(#","stream_options":{"include_usage":true}"#)
        let answer = try await bench.door.answer(toChat: asked)
        #expect(answer.body.contains(Self.usage))
        #expect(answer.body.contains(#""usage":null"#))
        #expect(bench.sent(0) == asked.replacing("up/m", with: "m"))
    }

    @Test func `Where nobody is charged, every byte is the client's`() async throws {
        var key = ClientKey.fixture
        key.limits.requestsPerMinute = 100
        let bench = try ProviderBench(key, isBooked: false) { Self.openAI($0) }
        let answer = try await bench.door.answer(toChat: Self.chat())
        #expect(answer.body == Self.unasked)
        #expect(bench.sent(0) == Self.chat().replacing("up/m", with: "m"))
    }

    /// Azure, Mistral and others put it beside the last choice, vLLM in each event if it is told to.
    @Test func `Usage beside choices passes, and the last one counts`() async throws {
        let bench = try ProviderBench { _ in
            .stream([
                #"{"choices":[],"prompt_filter_results":[]}"#,
                #"{"choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"prompt_tokens":3,"completion_tokens":1}}"#,
                #"{"choices":[{"index":0,"delta":{"content":"b"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#,
                "[DONE]",
            ])
        }
        let answer = try await bench.door.answer(toChat: Self.chat())
        #expect(answer.body.contains("prompt_filter_results"))
        #expect(answer.body.contains(#""completion_tokens":2"#))
        #expect(bench.ledger.entries.first?.chargedTokens == 5)
    }

    // MARK: Refusals

    @Test(arguments: [
        #"{"error":{"message":"Unrecognized request argument supplied: stream_options","type":"invalid_request_error"}}"#,
        #"{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]}"#,
    ])
    func `A provider that does not know the question is asked without it, from then on`(refusal: String) async throws {
        let bench = try ProviderBench { Self.asksUsage($0) ? .json(400, refusal) : Self.openAI($0) }
        for _ in 0..<3 {
            #expect(try await bench.door.answer(toChat: Self.chat()).body == Self.unasked)
        }
        #expect(bench.transport.requests.map(Self.asksUsage) == [true, false, false, false])
        let row = try #require(bench.ledger.entries.last)
        #expect(row.usage.truth == .estimated)
        #expect(row.usage.completion == 1, "four bytes in one event")
        #expect(row.attempts.count == 1)
    }

    @Test func `One that says nothing about why is believed the third time`() async throws {
        let bench = try ProviderBench {
            Self.asksUsage($0) ? .json(400, #"{"error":{"message":"Bad Request"}}"#) : Self.openAI($0)
        }
        for _ in 0..<5 {
            #expect(try await bench.door.answer(toChat: Self.chat()).body == Self.unasked)
        }
        #expect(
            bench.transport.requests.map(Self.asksUsage) == [true, false, true, false, true, false, false, false])
    }

    @Test
    func `A request that is bad by itself is not believed to be refused for that, once the provider has taken it`()
        async throws
    {
        let isBad = Atomic(false)
        let bench = try ProviderBench { request in
            isBad.load(ordering: .relaxed) ? .json(400, #"{"error":{"message":"Bad Request"}}"#) : Self.openAI(request)
        }
        #expect(try await bench.door.answer(toChat: Self.chat()).status == 200)
        isBad.store(true, ordering: .relaxed)
        #expect(try await bench.door.answer(toChat: Self.chat()).status == 400)
        #expect(bench.transport.requests.count == 2)
        isBad.store(false, ordering: .relaxed)
        #expect(try await bench.door.answer(toChat: Self.chat()).status == 200)
        #expect(bench.transport.requests.last.map(Self.asksUsage) == true)
    }

    @Test func `A refusal of something else is the client's`() async throws {
        let bench = try ProviderBench { _ in
            .json(400, #"{"error":{"message":"'temperature' must be at most 2","param":"temperature"}}"#)
        }
        #expect(try await bench.door.answer(toChat: Self.chat()).status == 400)
        #expect(bench.transport.requests.count == 1)
    }

    @Test func `Without usage it is what has been told, by pieces or by bytes`() async throws {
        let long = String(repeating: "x", count: 400)
        let bench = try ProviderBench { _ in
            .stream([
                #"{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#,
                #"{"choices":[{"index":0,"delta":{"reasoning_content":"\#(long)","reasoning":"\#(long)"}}]}"#,
                #"{"choices":[{"index":0,"delta":{"content":"\#(long)"}}]}"#,
                #"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":"{}\#(String(repeating: " ", count: 37))"}}]}}]}"#,
                #"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#, "[DONE]",
            ])
        }
        #expect(try await bench.door.answer(toChat: Self.chat()).status == 200)
        #expect(bench.ledger.entries.first?.usage.completion == 210)
    }

    // MARK: Other languages

    @Test func `Completions that pass are asked likewise`() async throws {
        let bench = try ProviderBench(dialects: [.completions]) { request in
            .stream(
                [#"{"id":"x","model":"m","choices":[{"index":0,"text":"a","finish_reason":"stop"}]}"#]
                    + (Self.asksUsage(request) ? [#"{"id":"x","model":"m","choices":[],\#(Self.usage)}"#] : [])
                    + ["[DONE]"])
        }
        let answer = try await bench.door.answer(
            .POST, "/v1/completions", #"{"model":"up/m","stream":true,"prompt":"hi"}"#)
        #expect(answer.status == 200)
        #expect(!answer.body.contains("usage"))
        #expect(bench.transport.requests.map(Self.asksUsage) == [true])
        #expect(bench.ledger.entries.first?.chargedTokens == 907)
    }

    @Test(arguments: [
        ("/v1/messages", #"{"model":"up/m","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"x"}]}"#),
        ("/v1/responses", #"{"model":"up/m","stream":true,"input":"x"}"#),
        ("/v1/completions", #"{"model":"up/m","stream":true,"prompt":"x"}"#),
    ])
    func `So are those that are translated`(path: String, body: String) async throws {
        let bench = try ProviderBench { Self.openAI($0) }
        #expect(try await bench.door.answer(.POST, path, body).status == 200)
        #expect(bench.transport.requests.map(Self.asksUsage) == [true])
        #expect(bench.ledger.entries.first?.usage.reasoning == 890)
    }
}
