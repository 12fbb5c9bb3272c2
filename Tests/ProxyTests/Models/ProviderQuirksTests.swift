import Testing

@testable import Proxy
@testable import ProxyRouting

/// What a refusal teaches, and what it must not teach: a lesson holds for every client of the model.
@Suite struct ProviderQuirksTests {
    private static let sent = #"""
        {"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"u"},{"role":"system","content":"t"}],"max_tokens":64000,
        "temperature":3,"reasoning_effort":"xhigh","user":"u","prompt_cache_key":"k","seed":1}
        """#

    private static func request(_ body: String = sent) throws -> PassThroughRequest {
        try PassThroughRequest(body: Array(body.utf8))
    }

    private static func learnt(_ message: String, _ field: String? = nil, from body: String = sent) throws
        -> ProviderQuirks
    {
        var quirks = ProviderQuirks()
        _ = quirks.learn(from: Failure(.refused, message, field: field), of: try request(body).received)
        return quirks
    }

    @Test(
        arguments: [
            ("`max_tokens` must be at least 1, got -1.", nil),
            ("`max_tokens` must be greater than `thinking.budget_tokens`", nil),
            ("max_tokens: Input should be greater than or equal to 0", "max_tokens"),
            (
                "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 3 instead.",
                "temperature"
            ),
            ("Invalid value: 'root'. Supported values are: 'system', 'assistant', 'user', 'function'.", nil),
            ("The conversation must end with a user message.", nil),
            ("Conversation roles must alternate user/assistant/user/assistant/...", nil),
            ("Please use a valid role: user, model.", nil),
            ("property 'verbosity' is unsupported", "verbosity"),
        ] as [(String, String?)])
    func `A value that is wrong, or a word in passing, teaches nothing that lasts`(message: String, field: String?)
        throws
    {
        #expect(try Self.learnt(message, field).lasting.leftOut.isEmpty)
        #expect(try !Self.learnt(message, field).hasOtherTokenLimit)
    }

    @Test(
        arguments: [
            ("property 'prompt_cache_key' is unsupported", nil, "prompt_cache_key"),
            ("Unrecognized request argument supplied: prompt_cache_key", nil, "prompt_cache_key"),
            ("Extra inputs are not permitted", "body.prompt_cache_key", "prompt_cache_key"),
            (
                "[{'type': 'extra_forbidden', 'loc': ('body', 'prompt_cache_key'), 'msg': 'Extra inputs are not permitted', 'input': {'reasoning_effort': 'x'}}]",
                nil, "prompt_cache_key"
            ),
            ("Unsupported parameter: 'user'", nil, "user"),
            (
                "Unsupported value: 'temperature' does not support 0.7 with this model. Only the default (1) value is supported.",
                "temperature", "temperature"
            ),
        ] as [(String, String?, String)])
    func `A member that is unknown is left out from then on`(message: String, field: String?, name: String) throws {
        #expect(try Self.learnt(message, field).lasting.leftOut == [name])
    }

    @Test func `An effort that a model does not have is left out once`() throws {
        let quirks = try Self.learnt(
            "Unsupported value: 'xhigh' is not supported with the 'm' model. Supported values are: 'low' and 'high'.",
            "reasoning_effort")
        #expect(quirks.leftOutOnce == ["reasoning_effort"] && quirks.lasting.isEmpty)
        let next = String(decoding: try Self.request().applying(quirks).received, as: UTF8.self)
        #expect(!next.contains("xhigh") && next.contains(#""temperature":3"#))
    }

    @Test(arguments: [
        ("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]", 8192),
        ("Range of max_tokens should be [1, 8192]", 8192),
        ("max_tokens: 64000 > 8192, which is the maximum allowed number of output tokens for m", 8192),
        ("max_tokens is too large: 64000. This model supports at most 16384 completion tokens.", 16_384),
    ])
    func `A limit is read, and the member keeps its name`(message: String, limit: Int) throws {
        let quirks = try Self.learnt(message, "max_tokens")
        #expect(quirks.mostTokens == limit && !quirks.hasOtherTokenLimit)
    }

    @Test func `System messages move as little as helps`() throws {
        var quirks = ProviderQuirks()
        let refusal = Failure(.refused, "Unexpected role 'system' after role 'user'")
        func roles() throws -> [String] {
            try JSONDocument(parsing: Self.request().applying(quirks).received).root.elements(of: "messages").map {
                $0["role"]?.string ?? ""
            }
        }
        #expect(try quirks.learn(from: refusal, of: Self.request().received))
        #expect(try roles() == ["system", "user", "user"])
        #expect(
            try quirks.learn(
                from: Failure(.refused, "System role not supported"), of: Self.request().applying(quirks).received))
        #expect(try roles() == ["user", "user", "user"])
        #expect(try !quirks.learn(from: refusal, of: Self.request().applying(quirks).received))
        #expect(try Self.learnt("the filesystem of this role is full").isEmpty)
    }

    @Test func `What two requests learn side by side is kept of both`() throws {
        let quirks = ModelQuirks()
        quirks.note(try Self.learnt("property 'prompt_cache_key' is unsupported"), of: "a/m")
        quirks.note(try Self.learnt("Range of max_tokens should be [1, 8192]"), of: "a/m")
        #expect(
            quirks.provider(of: "a/m").leftOut == ["prompt_cache_key"] && quirks.provider(of: "a/m").mostTokens == 8192)
        #expect(quirks.provider(of: "b/m").isEmpty)
    }

    @Test func `The words of newer servers tell what is left for the answer`() throws {
        let failure = ContextLength.error(
            from:
                "'max_tokens' or 'max_completion_tokens' is too large: 32000. This model's maximum context length is 32768 tokens and your request has 10000 input tokens (32000 > 32768 - 10000)."
        )
        var quirks = ProviderQuirks()
        #expect(try quirks.learn(from: failure, of: Self.request().received))
        #expect(quirks.tokensLeft == 22_640)
    }
}
