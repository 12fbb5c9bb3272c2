import LedgerTestSupport
import NIOHTTP1
import ProxyAccounting
import ProxyTestSupport
import Synchronization
import Testing

@testable import Proxy
@testable import ProxyRouting

/// Through the whole door: what a key may use, whichever the endpoint.
@Suite struct ChargeTests {
    private static let model = #""model":"grok-4""#
    private static let chat = #"{\#(model),"max_tokens":20,"messages":[{"role":"user","content":"hi"}]}"#

    /// 10 tokens read, 20 written.
    private static func upstream() -> FakeTransport {
        FakeTransport(
            body:
                #"{"modelId":"xai.grok-4","modelVersion":"1","chatResponse":{"apiFormat":"GENERIC","timeCreated":"2026-01-01T00:00:00Z","choices":[{"index":0,"message":{"role":"ASSISTANT","content":[{"type":"TEXT","text":"hi"}]},"finishReason":"stop"}],"usage":{"promptTokens":10,"completionTokens":20,"totalTokens":30}}}"#
        )
    }

    private static func key(_ change: (inout KeyLimits) -> Void) -> ClientKey {
        var key = ClientKey.fixture
        change(&key.limits)
        return key
    }

    private static let prices = Prices(
        PriceTable([
            PriceTable.Entry(
                name: "xai.grok-4",
                price: .tokens(TokenPrice(.init(input: 3_000_000, output: 15_000_000))), origin: .configuration,
                source: "")
        ]))

    private struct Bench {
        let time = ManualTime()
        let transport: FakeTransport
        let ledger = KeptLedger()
        let door: FrontDoor

        init(
            _ key: ClientKey, over transport: FakeTransport = upstream(), rateLimit: Int = 0, accounts: Int = 1,
            fallbacks: [String: [String]] = [:], keyAccounts: KeyAccounts? = nil
        ) throws {
            self.transport = transport
            door = try FrontDoor.fixture(
                over: try Router.fixture(transport, time: time.source, accounts: accounts), time: time.source,
                rateLimit: rateLimit, fallbacks: fallbacks, keys: [key], ledger: ledger, prices: prices,
                keyAccounts: keyAccounts)
        }
    }

    // MARK: Budgets

    @Test func `What a request has used is charged, and a spent budget lets nobody in`() async throws {
        let bench = try Bench(Self.key { $0.hardBudgets = [Budget(.tokens(30), per: .hour)] })
        #expect(try await bench.door.answer(toChat: Self.chat).status == 200)
        let refused = try await bench.door.answer(toChat: Self.chat)
        #expect(refused.status == 429)
        #expect(refused.body.contains(#""type":"insufficient_quota""#))
        #expect(refused.body.contains(#""code":"budget_exceeded""#))
        #expect(refused.body.contains("30 of 30 tokens per hour spent, until "))
        #expect(bench.transport.requests.count == 1)
    }

    @Test func `A budget of money goes by the price`() async throws {
        // A request costs 10 · 3 + 20 · 15 microdollars.
        let bench = try Bench(Self.key { $0.hardBudgets = [Budget(.money(330_000), per: .day)] })
        #expect(try await bench.door.answer(toChat: Self.chat).status == 200)
        let usage = try await bench.door.answer(.GET, "/v1/usage").body
        #expect(usage.contains(#""spent":330000,"reserved":0,"remaining":0"#))
        #expect(try await bench.door.answer(toChat: Self.chat).status == 429)
    }

    /// Every endpoint and dialect goes by the one gate.
    @Test(arguments: [
        ("/v1/chat/completions", chat),
        ("/v1/chat/completions", #"{\#(model),"stream":true,"messages":[{"role":"user","content":"hi"}]}"#),
        ("/v1/responses", #"{\#(model),"input":"x"}"#), ("/v1/responses", #"{\#(model),"stream":true,"input":"x"}"#),
        ("/v1/messages", #"{\#(model),"max_tokens":9,"messages":[{"role":"user","content":"x"}]}"#),
        ("/v1/completions", #"{\#(model),"prompt":"x"}"#), ("/v1/completions", #"{\#(model),"prompt":["x","y"]}"#),
        ("/v1/embeddings", #"{"model":"cohere.embed-v4.0","input":"x"}"#),
        ("/v1/rerank", #"{"model":"cohere.rerank-v3.5","query":"x","documents":["y"]}"#),
    ])
    func `With a spent budget no endpoint asks an upstream`(path: String, body: String) async throws {
        let bench = try Bench(Self.key { $0.hardBudgets = [Budget(.tokens(30), per: .total)] })
        #expect(try await bench.door.answer(toChat: Self.chat).status == 200)
        let refused = try await bench.door.answer(.POST, path, body)
        #expect(refused.status == 429, "\(refused.body)")
        #expect(bench.transport.requests.count == 1)
        let row = try #require(bench.ledger.entries.last)
        #expect(row.status == 429)
        #expect(row.attempts.isEmpty)
        #expect(row.chargedTokens == 0)
    }

    @Test(arguments: ["/v1/images/generations", "/v1/audio/speech", "/v1/moderations"])
    func `So it is with what passes to providers`(path: String) async throws {
        let transport = FakeTransport(body: "{}")
        let time = ManualTime()
        let settings = ProviderSettings(
            id: "up", name: "up", baseURL: try #require(BaseURL("http://127.0.0.1:9/v1")), token: nil, dialects: nil)
        let router = Router(
            [(Provider(settings, transport: transport, time: time.source), Upstream.Settings())],
            limits: .init(concurrency: 200, queue: 2000), strategy: RoundRobin(), time: time.source, logger: .silent)
        let accounts = KeyAccounts()
        accounts.account(of: "default").restore(
            [LedgerCounter(key: "default", window: .total, periodStart: 0, requests: 1, tokens: 30)], soft: [],
            at: time.source.wallClock())
        let door = try FrontDoor.fixture(
            over: router, time: time.source,
            keys: [Self.key { $0.hardBudgets = [Budget(.tokens(30), per: .total)] }], keyAccounts: accounts)
        let refused = try await door.answer(.POST, path, #"{"model":"up/m","input":"x","prompt":"x"}"#)
        #expect(refused.status == 429, "\(refused.body)")
        #expect(transport.requests.isEmpty)
    }

    @Test func `What is refused by the upstream costs nothing, and its reservation is given back`() async throws {
        let transport = FakeTransport(status: 400, body: #"{"code":"400","message":"no"}"#)
        let bench = try Bench(Self.key { $0.hardBudgets = [Budget(.tokens(1000), per: .hour)] }, over: transport)
        for _ in 0..<100 { #expect(try await bench.door.answer(toChat: Self.chat).status == 400) }
        let usage = try await bench.door.answer(.GET, "/v1/usage").body
        #expect(usage.contains(#""spent":0,"reserved":0,"remaining":1000"#))
    }

    @Test func `A soft budget is told in a header, and lets everybody in`() async throws {
        let bench = try Bench(Self.key { $0.softBudgets = [Budget(.tokens(30), per: .day)] })
        for _ in 0..<3 { #expect(try await bench.door.answer(toChat: Self.chat).status == 200) }
        let usage = try await bench.door.answer(.GET, "/v1/usage").body
        #expect(usage.contains(#""kind":"soft","unit":"tokens","limit":30,"spent":90"#))
    }

    // MARK: Tokens a minute

    @Test func `Tokens of a minute are estimated, and corrected by what was used`() async throws {
        let bench = try Bench(Self.key { $0.tokensPerMinute = 100 })
        for _ in 0..<3 { #expect(try await bench.door.answer(toChat: Self.chat).status == 200) }
        let refused = try await bench.door.answer(toChat: Self.chat)
        #expect(refused.status == 429)
        #expect(refused.body.contains(#""code":"rate_limit_exceeded""#))
        #expect(refused.body.contains("100 tokens per minute"))
        bench.time.advance(by: .seconds(60))
        #expect(try await bench.door.answer(toChat: Self.chat).status == 200)
    }

    @Test func `Who announces more than a minute holds gets no more of it`() async throws {
        let bench = try Bench(Self.key { $0.tokensPerMinute = 100 })
        var statuses: [Int] = []
        for _ in 0..<8 {
            statuses.append(
                try await bench.door.answer(
                    toChat: Self.chat.replacing(#""max_tokens":20"#, with: #""max_tokens":9999999"#)
                ).status)
        }
        // What is larger than the bucket is let in when that is full, and takes all of it for the time that it runs.
        #expect(statuses.filter { $0 == 200 }.count == 1)
    }

    @Test func `Many texts are paid for before the first of them is sent`() async throws {
        let bench = try Bench(Self.key { $0.hardBudgets = [Budget(.tokens(30), per: .total)] })
        #expect(try await bench.door.answer(toChat: Self.chat).status == 200)
        let texts = Array(repeating: #""x""#, count: 500).joined(separator: ",")
        let refused = try await bench.door.answer(
            .POST, "/v1/embeddings", #"{"model":"cohere.embed-v4.0","input":[\#(texts)]}"#)
        #expect(refused.status == 429)
        #expect(bench.transport.requests.count == 1)
        #expect(bench.ledger.entries.last?.attempts.isEmpty == true)
    }

    @Test func `A whole answer says what is left behind it, not what was reserved for it`() async throws {
        let bench = try Bench(Self.key { $0.tokensPerMinute = 6000 })
        let answer = try await bench.door.wholeAnswer(
            .POST, "/v1/chat/completions", Self.chat.replacing(#""max_tokens":20"#, with: #""max_tokens":3000"#))
        #expect(answer.status == 200)
        #expect(answer.headers.first(name: "x-ratelimit-limit-tokens") == "6000")
        #expect(answer.headers.first(name: "x-ratelimit-remaining-tokens") == "5970")
        let usage = try await bench.door.answer(.GET, "/v1/usage").body
        #expect(usage.contains(#""tokens":{"limit":6000,"remaining":5970"#), "it is charged once: \(usage)")
    }

    @Test func `Requests that run are told of, also of a key without limits`() async throws {
        let door = Mutex<FrontDoor?>(nil)
        let seen = Mutex("")
        let bench = try Bench(
            .fixture,
            over: FakeTransport { _ in
                let text = try await door.withLock { $0 }?.answer(.GET, "/v1/usage").body
                seen.withLock { $0 = text ?? "" }
                return .json(400, #"{"code":"400","message":"no"}"#)
            })
        door.withLock { $0 = bench.door }
        #expect(try await bench.door.answer(toChat: Self.chat).status == 400)
        #expect(seen.withLock { $0 }.contains(#""in_progress":1"#))
        #expect(try await bench.door.answer(.GET, "/v1/usage").body.contains(#""in_progress":0"#))
    }

    // MARK: Calls that fail

    /// Answers with what comes next, and with 10 and 20 tokens behind the last of it.
    private static func failing(
        _ calls: [@Sendable () async throws -> TransportResponse], isReached: Bool = true
    ) -> FakeTransport {
        let number = Atomic(0)
        let good = Self.answer
        return FakeTransport(isReached: isReached) { _ in
            let call = number.wrappingAdd(1, ordering: .relaxed).oldValue
            return calls.indices.contains(call) ? try await calls[call]() : .json(200, good)
        }
    }

    private static let answer =
        #"{"modelId":"xai.grok-4","modelVersion":"1","chatResponse":{"apiFormat":"GENERIC","timeCreated":"2026-01-01T00:00:00Z","choices":[{"index":0,"message":{"role":"ASSISTANT","content":[{"type":"TEXT","text":"hi"}]},"finishReason":"stop"}],"usage":{"promptTokens":10,"completionTokens":20,"totalTokens":30}}}"#

    private static let whole: @Sendable () async throws -> TransportResponse = { .json(200, answer) }
    private static let busy: @Sendable () async throws -> TransportResponse = {
        .json(503, #"{"code":"503","message":"busy"}"#)
    }

    @Test func `A fallback does not compete with the call that has failed before it`() async throws {
        let bench = try Bench(
            Self.key { $0.hardBudgets = [Budget(.tokens(100), per: .total)] },
            over: Self.failing([
                Self.whole, Self.whole, { .json(404, #"{"code":"NotAuthorizedOrNotFound","message":"no model"}"#) },
            ]),
            fallbacks: ["grok-4": ["llama-3.3-70b"]])
        for _ in 0..<2 { #expect(try await bench.door.answer(toChat: Self.chat).status == 200) }
        // 60 are spent, and each call reserves 25.
        let third = try await bench.door.answer(toChat: Self.chat)
        #expect(third.status == 200, "\(third.body)")
        let usage = try await bench.door.answer(.GET, "/v1/usage").body
        #expect(usage.contains(#""spent":90,"reserved":0"#))
        #expect(usage.contains(#""requests":3,"tokens":90"#))
    }

    @Test func `Where the key has no more for another try, the client is told what the upstream has said`() async throws
    {
        let accounts = KeyAccounts()
        let bench = try Bench(
            Self.key { $0.hardBudgets = [Budget(.tokens(100), per: .total)] },
            over: Self.failing([
                {
                    // Another request takes the rest meanwhile.
                    _ = try accounts.account(of: "default").reserve(
                        tokens: 1000, cost: nil, by: KeyLimits(), at: .zero, ManualTime().source.wallClock())
                    return try await Self.busy()
                }
            ]), accounts: 2, fallbacks: ["grok-4": ["llama-3.3-70b"]], keyAccounts: accounts)
        let answer = try await bench.door.answer(toChat: Self.chat)
        #expect(answer.status == 503, "\(answer.body)")
        #expect(answer.body.contains("busy"))
        #expect(bench.transport.requests.count == 1)
        #expect(try await bench.door.answer(toChat: Self.chat).status == 429, "the next request has met no upstream")
        #expect(bench.ledger.entries.map(\.chargedTokens) == [0, 0])
        #expect(try await bench.door.answer(.GET, "/v1/usage").body.contains(#""spent":0,"reserved":1000"#))
    }

    /// Whoever was at work when it was left may charge for the prompt.
    @Test(
        arguments: [
            { throw MovingDeadline.Exceeded(cause: .request) },
            { throw MovingDeadline.Exceeded(cause: .head) },
            {
                withUnsafeCurrentTask { unsafe $0?.cancel() }
                throw CancellationError()
            },
        ] as [@Sendable () async throws -> TransportResponse])
    func `A call that was sent and left before its status is charged for its prompt`(
        ending: @escaping @Sendable () async throws -> TransportResponse
    ) async throws {
        for isReached in [true, false] {
            let bench = try Bench(
                Self.key { $0.hardBudgets = [Budget(.tokens(1000), per: .total)] },
                over: FakeTransport(isReached: isReached) { _ in try await ending() })
            _ = try await bench.door.answer(toChat: Self.chat)
            let row = try #require(bench.ledger.entries.first)
            let attempt = try #require(row.attempts.first)
            let prompt = Int64((Self.chat.utf8.count + 3) / 4)
            #expect(attempt.usage.prompt == (isReached ? prompt : nil))
            #expect(attempt.usage.completion == (isReached ? 0 : nil))
            #expect(attempt.usage.truth == (isReached ? .estimated : .unknown))
            #expect(row.chargedTokens == (isReached ? prompt : 0))
            #expect(row.cost == (isReached ? prompt * 3000 : nil))
            let usage = try await bench.door.answer(.GET, "/v1/usage").body
            #expect(usage.contains(#""spent":\#(isReached ? prompt : 0),"reserved":0"#))
        }
    }

    @Test(arguments: [
        TransportError.cannotConnect("refused"), .connectTimeout, .tls("no"), .connectionLost("reset"),
    ])
    func `A call that nobody has taken is free`(error: TransportError) async throws {
        let bench = try Bench(
            Self.key { _ in },
            over: Self.failing([{ throw error }, { .json(400, #"{"code":"400","message":"no"}"#) }]), accounts: 2)
        _ = try await bench.door.answer(toChat: Self.chat)
        let row = try #require(bench.ledger.entries.first)
        #expect(row.attempts.count == 2)
        #expect(row.attempts.allSatisfy { $0.usage.truth == .unknown && $0.cost == nil })
        #expect(row.chargedTokens == 0)
    }

    @Test func `A whole answer that breaks off in the middle is charged for its prompt`() async throws {
        let broken: @Sendable () async throws -> TransportResponse = {
            let feed = FakeTransport.Feed()
            feed.send(#"{"modelId":"#)
            feed.end(throwing: TransportError.answerCut("reset"))
            return TransportResponse(status: 200, headers: ["content-type": "application/json"], body: feed.body)
        }
        let bench = try Bench(Self.key { _ in }, over: Self.failing([broken]), accounts: 2)
        #expect(try await bench.door.answer(toChat: Self.chat).status == 200)
        let row = try #require(bench.ledger.entries.first)
        let prompt = Int64((Self.chat.utf8.count + 3) / 4)
        #expect(row.attempts.map(\.usage.prompt) == [prompt, 10])
        #expect(row.chargedTokens == prompt + 30)
        #expect(row.usage.truth == .estimated)
    }

    // MARK: Rows

    @Test func `A request has a row with its attempt`() async throws {
        let bench = try Bench(Self.key { _ in })
        #expect(try await bench.door.answer(toChat: Self.chat).status == 200)
        let row = try #require(bench.ledger.entries.first)
        #expect(bench.ledger.entries.count == 1)
        #expect(row.key == "default")
        #expect(row.dialect == "chat")
        #expect(row.endpoint == "/v1/chat/completions")
        #expect(row.model == "grok-4")
        #expect(row.servedModel == "xai.grok-4")
        #expect(row.upstream == "default")
        #expect(row.status == 200)
        #expect(!row.isStreaming)
        #expect(row.usage.truth == .reported)
        #expect(row.usage.prompt == 10)
        #expect(row.usage.completion == 20)
        #expect(row.cost == 330_000)
        #expect(row.chargedTokens == 30)
        #expect(row.chargedCost == 330_000)
        let attempt = try #require(row.attempts.first)
        #expect(row.attempts.count == 1)
        #expect(attempt.number == 1)
        #expect(attempt.upstream == "default")
        #expect(attempt.model == "xai.grok-4")
        #expect(attempt.region == "us-chicago-1")
        #expect(attempt.outcome == "succeeded")
        #expect(attempt.status == 200)
        #expect(attempt.cost == 330_000)
    }

    @Test func `What is refused once its key is known has a row without attempts`() async throws {
        let bench = try Bench(Self.key { _ in }, rateLimit: 3)
        #expect(try await bench.door.answer(toChat: "{").status == 400)
        #expect(try await bench.door.answer(toChat: Self.chat.replacing("grok-4", with: "nobody")).status == 404)
        #expect(
            try await bench.door.answer(
                .POST, "/v1/chat/completions", Self.chat, headers: ["content-encoding": "br"]
            ).status == 415)
        _ = try await bench.door.answer(toChat: "{")
        #expect(try await bench.door.answer(toChat: Self.chat).status == 429)
        #expect(bench.ledger.entries.map(\.status) == [400, 404, 415, 400, 429])
        #expect(bench.ledger.entries.allSatisfy { $0.attempts.isEmpty && $0.cost == nil && $0.usage.truth == .unknown })
        #expect(bench.ledger.entries[1].error == "model_not_found")
        #expect(bench.ledger.entries[1].model == "nobody")
    }

    @Test func `Who shows no key, and what is no model's, has none`() async throws {
        let bench = try Bench(Self.key { _ in })
        #expect(try await bench.door.answer(.POST, "/v1/chat/completions", Self.chat, key: "wrong").status == 401)
        for path in ["/v1/models", "/v1/usage", "/stats/accounts", "/health"] {
            #expect(try await bench.door.answer(.GET, path).status == 200)
        }
        #expect(bench.ledger.entries.isEmpty)
    }

    @Test func `Without a price the cost is not known, and without usage it is estimated`() async throws {
        let silent = FakeTransport(
            body:
                #"{"modelId":"meta.llama-3.3-70b-instruct","modelVersion":"1","chatResponse":{"apiFormat":"GENERIC","timeCreated":"2026-01-01T00:00:00Z","choices":[{"index":0,"message":{"role":"ASSISTANT","content":[{"type":"TEXT","text":"hi"}]},"finishReason":"stop"}]}}"#
        )
        let bench = try Bench(Self.key { _ in }, over: silent)
        #expect(
            try await bench.door.answer(toChat: Self.chat.replacing("grok-4", with: "llama-3.3-70b")).status == 200)
        let row = try #require(bench.ledger.entries.first)
        #expect(row.usage.truth == .estimated)
        #expect(row.usage.prompt ?? 0 > 0)
        #expect(row.cost == nil)
        #expect(row.chargedCost == 0)
    }
}
