import Testing

@testable import ProxyTelemetry

@Suite struct GenAISpansTests {
    private static let present = GenAISpans(writesOldNames: false)

    private static func server(
        method: String = "POST", route: String? = "/v1/chat/completions",
        _ change: (inout ServerFacts) -> Void = { _ in }
    ) -> ServerFacts {
        var facts = ServerFacts(method: method, route: route, start: 1_000, end: 9_000)
        change(&facts)
        return facts
    }

    private static func attempt(
        _ outcome: AttemptFacts.Outcome = .succeeded, provider: String = "oci.generative_ai",
        _ change: (inout AttemptFacts) -> Void = { _ in }
    ) throws -> AttemptFacts {
        var facts = AttemptFacts(
            spanID: try #require(SpanID(77)), number: 1, operation: .chat, provider: provider, outcome: outcome,
            start: 2_000, end: 8_000)
        change(&facts)
        return facts
    }

    private static func values(_ attributes: [SpanAttribute]) -> [String: SpanAttribute.Value] {
        Dictionary(uniqueKeysWithValues: attributes.map { ($0.key, $0.value) })
    }

    // MARK: A client's request

    @Test func `A request is a span of a server`() {
        let trace = Samples.start(
            TraceContext(
                traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", tracestate: "congo=t61"))
        let span = Self.present.server(
            Self.server {
                $0.scheme = "https"
                $0.path = "/v1/chat/completions"
                $0.status = 200
                $0.requestID = "req-1"
                $0.keyName = "team-a"
                $0.modelAsked = "grok"
                $0.dialect = "openai.chat"
                $0.operation = .chat
                $0.stream = true
                $0.attempts = 2
                $0.waits = [
                    .init(start: 3_000, duration: .milliseconds(1_500)), .init(start: 2_000, duration: .seconds(1)),
                ]
                $0.passedOver = [.init(upstream: "frankfurt", reason: "cooling")]
                $0.rescues = [.init(time: 5_000, from: "chicago", to: "phoenix")]
                $0.fallbackModel = "grok-mini"
            }, in: trace)
        #expect(span.name == "POST /v1/chat/completions" && span.kind == .server && span.status == .unset)
        #expect(span.traceID == trace.traceID && span.id == trace.spanID && span.parent == trace.parent)
        #expect(span.parentIsRemote && span.state == "congo=t61" && span.flags == .sampled && span.links.isEmpty)
        #expect(span.start == 1_000 && span.end == 9_000)
        #expect(
            Self.values(span.attributes) == [
                "http.request.method": .string("POST"), "http.route": .string("/v1/chat/completions"),
                "url.scheme": .string("https"), "url.path": .string("/v1/chat/completions"),
                "http.response.status_code": .integer(200), "ociai.request.id": .string("req-1"),
                "ociai.key": .string("team-a"), "ociai.model": .string("grok"), "ociai.dialect": .string("openai.chat"),
                "ociai.operation": .string("chat"), "ociai.stream": .boolean(true), "ociai.attempts": .integer(2),
                "ociai.wait": .double(2.5), "ociai.rescued": .boolean(true),
                "ociai.fallback.model": .string("grok-mini"),
            ])
        #expect(
            span.events == [
                .init(
                    "passed_over", at: 1_000,
                    [.init("ociai.upstream", .string("frankfurt")), .init("ociai.reason", .string("cooling"))]),
                .init("queue", at: 2_000, [.init("ociai.wait", .double(1))]),
                .init("queue", at: 3_000, [.init("ociai.wait", .double(1.5))]),
                .init(
                    "rescued", at: 5_000,
                    [
                        .init("ociai.upstream.from", .string("chicago")), .init("ociai.upstream", .string("phoenix")),
                    ]),
            ])
    }

    @Test func `Only calls of upstreams have the names that tools add up`() {
        let span = GenAISpans(writesOldNames: true).server(Self.server { $0.operation = .chat }, in: Samples.start())
        #expect(!span.attributes.contains { $0.key.hasPrefix("gen_ai") })
    }

    @Test func `A trace that is linked to is a link`() throws {
        let incoming = try #require(
            TraceContext(traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))
        let span = Self.present.server(Self.server(), in: Samples.start(incoming, mode: .link))
        #expect(span.parent == nil && span.links == [.init(incoming, isRemote: true)])
    }

    @Test(
        arguments: [
            (200, nil, false, nil), (200, "stream_broken", false, "stream_broken"), (200, "client_left", true, nil),
            (400, "invalid_request", false, nil), (401, "invalid_api_key", false, nil), (429, nil, false, nil),
            (500, nil, false, "500"), (503, "all_upstreams_down", false, "all_upstreams_down"), (504, nil, true, nil),
            (nil, nil, false, "_OTHER"), (nil, "timeout", false, "timeout"), (nil, nil, true, nil),
        ] as [(Int?, String?, Bool, String?)]
    )
    func `An error of a server is what is the server's fault`(
        status: Int?, type: String?, clientLeft: Bool, error: String?
    ) {
        let span = Self.present.server(
            Self.server {
                $0.status = status
                $0.errorType = type
                $0.clientLeft = clientLeft
            }, in: Samples.start())
        #expect(span.status == (error.map { .error($0) } ?? .unset))
        let values = Self.values(span.attributes)
        #expect(values["error.type"] == error.map { .string($0) })
        #expect(values["ociai.error.type"] == type.map { .string($0) })
        #expect(values["ociai.client_left"] == (clientLeft ? .boolean(true) : nil))
    }

    @Test(
        arguments: [
            ("GET", "/v1/models", "GET /v1/models", nil), ("GET", nil, "GET", nil),
            ("BREW", nil, "HTTP", "BREW"), ("get", "/v1/models", "HTTP /v1/models", "get"),
        ] as [(String, String?, String, String?)]
    )
    func `A name is made of what there is few of`(method: String, route: String?, name: String, original: String?) {
        let span = Self.present.server(Self.server(method: method, route: route), in: Samples.start())
        let values = Self.values(span.attributes)
        #expect(span.name == name)
        #expect(values["http.request.method"] == .string(original == nil ? method : "_OTHER"))
        #expect(values["http.request.method_original"] == original.map { .string($0) })
    }

    @Test func `What is too much is dropped and counted`() {
        let span = Self.present.server(
            Self.server {
                $0.passedOver = (0..<500).map { .init(upstream: "u\($0)", reason: "busy") }
                $0.waits = [.init(start: 1, duration: .seconds(1))]
            }, in: Samples.start())
        #expect(span.events.count == 41 && span.droppedEvents == 460)
    }

    // MARK: A call of an upstream

    private static func full() throws -> AttemptFacts {
        try attempt {
            $0.upstream = "chicago"
            $0.account = "acct"
            $0.region = "us-chicago-1"
            $0.opcRequestID = "OPC"
            $0.serverAddress = "inference.generativeai.us-chicago-1.oci.oraclecloud.com"
            $0.serverPort = 443
            $0.requestModel = "xai.grok-4"
            $0.responseModel = "xai.grok-4-0709"
            $0.responseID = "chatcmpl-1"
            $0.finishReasons = ["stop", "length"]
            $0.stream = true
            $0.promptTokens = 100
            $0.completionTokens = 50
            $0.cachedTokens = 40
            $0.reasoningTokens = 0
            $0.timeToFirstChunk = .nanoseconds(2_500)
            $0.waited = .milliseconds(250)
            $0.isRescue = true
            $0.status = 200
            $0.parameters.maxTokens = 10
            $0.parameters.temperature = 0.5
            $0.parameters.topP = .nan
            $0.parameters.topK = 3
            $0.parameters.choices = 1
            $0.parameters.reasoningLevel = "low"
            $0.parameters.outputType = "json"
        }
    }

    private static let fullValues: [String: SpanAttribute.Value] = [
        "gen_ai.operation.name": .string("chat"), "gen_ai.provider.name": .string("oci.generative_ai"),
        "server.address": .string("inference.generativeai.us-chicago-1.oci.oraclecloud.com"),
        "server.port": .integer(443), "ociai.attempt": .integer(1), "ociai.upstream": .string("chicago"),
        "ociai.outcome": .string("succeeded"), "ociai.wait": .double(0.25), "ociai.rescue": .boolean(true),
        "oci.account": .string("acct"), "oci.region": .string("us-chicago-1"), "oci.opc_request_id": .string("OPC"),
        "gen_ai.request.model": .string("xai.grok-4"), "gen_ai.request.stream": .boolean(true),
        "gen_ai.request.max_tokens": .integer(10), "gen_ai.request.temperature": .double(0.5),
        "gen_ai.request.top_k": .integer(3), "gen_ai.request.reasoning.level": .string("low"),
        "gen_ai.output.type": .string("json"), "http.response.status_code": .integer(200),
        "gen_ai.response.model": .string("xai.grok-4-0709"), "gen_ai.response.id": .string("chatcmpl-1"),
        "gen_ai.response.finish_reasons": .strings(["stop", "length"]),
        "gen_ai.response.time_to_first_chunk": .double(0.0000025), "gen_ai.usage.input_tokens": .integer(100),
        "gen_ai.usage.output_tokens": .integer(50), "gen_ai.usage.cache_read.input_tokens": .integer(40),
    ]

    @Test func `A call is a span of a client below the request's`() throws {
        let trace = Samples.start(
            TraceContext(
                traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", tracestate: "congo=t61"))
        let span = Self.present.attempt(try Self.full(), in: trace)
        #expect(span.name == "chat xai.grok-4" && span.kind == .client && span.status == .unset)
        #expect(span.traceID == trace.traceID && span.id.value == 77 && span.parent == trace.spanID)
        #expect(!span.parentIsRemote && span.state == "congo=t61" && span.flags == .sampled)
        #expect(Self.values(span.attributes) == Self.fullValues)
        #expect(span.events == [.init("first_chunk", at: 4_500)])
    }

    @Test(
        arguments: [
            ("oci.generative_ai", "oci.generative_ai"), ("x_ai", "xai"), ("openai", "openai"),
            ("mistral_ai", "mistral_ai"),
        ]
    )
    func `An old name stands besides the present one`(provider: String, old: String) throws {
        let facts = try Self.attempt(provider: provider)
        var values = Self.values(GenAISpans(writesOldNames: true).attempt(facts, in: Samples.start()).attributes)
        #expect(values.removeValue(forKey: "gen_ai.system") == .string(old))
        #expect(values == Self.values(Self.present.attempt(facts, in: Samples.start()).attributes))
    }

    @Test(
        arguments: [
            (.succeeded, 200, nil, nil), (.abandoned, 200, "client_left", nil), (.abandoned, nil, nil, nil),
            (.failed, 429, nil, "429"), (.failed, 429, "rate_limited", "rate_limited"),
            (.failed, 200, "stream_broken", "stream_broken"), (.failed, nil, nil, "_OTHER"),
        ] as [(AttemptFacts.Outcome, Int?, String?, String?)]
    )
    func `A call that failed is an error`(
        outcome: AttemptFacts.Outcome, status: Int?, type: String?, error: String?
    ) throws {
        let facts = try Self.attempt(outcome) {
            $0.status = status
            $0.errorType = type
        }
        let span = Self.present.attempt(facts, in: Samples.start())
        #expect(span.status == (error.map { .error($0) } ?? .unset))
        #expect(Self.values(span.attributes)["error.type"] == error.map { .string($0) })
        #expect(Self.values(span.attributes)["ociai.outcome"] == .string(outcome.rawValue))
    }

    @Test(
        arguments: [
            (GenAIOperation.chat, "chat m"), (.textCompletion, "text_completion m"), (.embeddings, "embeddings m"),
            (.rerank, "rerank m"), (.imageGeneration, "image_generation m"), (.other("guard"), "guard m"),
        ]
    )
    func `A call is named after what is asked of which model`(operation: GenAIOperation, name: String) throws {
        let facts = try Self.attempt {
            $0.operation = operation
            $0.requestModel = "m"
        }
        #expect(Self.present.attempt(facts, in: Samples.start()).name == name)
    }

    @Test func `Little that is known is little that is written`() throws {
        let span = Self.present.attempt(try Self.attempt(), in: Samples.start())
        #expect(
            span.attributes.map(\.key) == [
                "gen_ai.operation.name", "gen_ai.provider.name", "ociai.attempt", "ociai.outcome",
            ])
        #expect(span.events.isEmpty && span.name == "chat")
    }

    @Test func `Texts of strangers are cut`() throws {
        let facts = try Self.attempt {
            $0.requestModel = "a\n\u{1B}" + String(repeating: "é", count: 5_000)
            $0.finishReasons = Array(repeating: String(repeating: "x", count: 5_000), count: 500)
        }
        let span = Self.present.attempt(facts, in: Samples.start())
        #expect(span.name.utf8.count <= 256 && span.name.hasPrefix("chat a??éé") && span.name.hasSuffix("é"))
        for attribute in span.attributes {
            switch attribute.value {
            case .string(let text): #expect(text.utf8.count <= 1_024)
            case .strings(let texts): #expect(texts.count == 128 && texts.allSatisfy { $0.utf8.count == 1_024 })
            case .integer, .double, .boolean: break
            }
        }
    }

    @Test func `A clock that went back does no harm`() throws {
        var facts = try Self.attempt()
        facts.start = 10
        facts.end = 5
        facts.timeToFirstChunk = .seconds(-1)
        let span = Self.present.attempt(facts, in: Samples.start())
        #expect(span.start == 10 && span.end == 10 && span.events.map(\.time) == [10])
    }
}
