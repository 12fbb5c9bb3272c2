import Foundation
import NIOCore
import NIOHTTP1
import ProxyTestSupport
import Synchronization
import Testing

@testable import Proxy
@testable import ProxyRouting

/// Streams that break off when their client has been told a part, through the whole door.
@Suite(.timeLimit(.minutes(1))) struct RescueTests {
    /// A format in which an upstream tells its answer.
    enum Format: String, CaseIterable, Sendable {
        case provider, generic, cohere, cohereV2

        var model: String {
            switch self {
            case .provider: "up/m"
            case .generic: "xai.grok-4"
            case .cohere: "cohere.command-r-plus-08-2024"
            case .cohereV2: "cohere.command-a-vision-07-2025"
            }
        }

        func text(_ escaped: String) -> String {
            switch self {
            case .provider:
                "data: "
                    + #"{"id":"up-1","created":7,"model":"theirs","choices":[{"index":0,"delta":{"content":"\#(escaped)"},"finish_reason":null}]}"#
                    + "\n\n"
            case .generic:
                "data: "
                    + #"{"index":0,"message":{"role":"ASSISTANT","content":[{"type":"TEXT","text":"\#(escaped)"}]}}"#
                    + "\n\n"
            case .cohere: "data: " + #"{"apiFormat":"COHERE","text":"\#(escaped)"}"# + "\n\n"
            case .cohereV2:
                "data: "
                    + #"{"apiFormat":"COHEREV2","message":{"role":"ASSISTANT","content":[{"type":"TEXT","text":"\#(escaped)"}]}}"#
                    + "\n\n"
            }
        }

        var end: [String] {
            switch self {
            case .provider:
                [
                    "data: " + #"{"id":"up-1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"# + "\n\n",
                    "data: "
                        + #"{"id":"up-1","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}"#
                        + "\n\n",
                    "data: [DONE]\n\n",
                ]
            case .generic:
                [
                    "data: " + #"{"index":0,"finishReason":"stop"}"# + "\n\n",
                    "data: " + #"{"usage":{"promptTokens":10,"completionTokens":5,"totalTokens":15}}"# + "\n\n",
                    "data: [DONE]\n\n",
                ]
            case .cohere:
                [
                    "data: "
                        + #"{"apiFormat":"COHERE","text":"","finishReason":"COMPLETE","usage":{"promptTokens":10,"completionTokens":5,"totalTokens":15}}"#
                        + "\n\n"
                ]
            case .cohereV2:
                [
                    "data: "
                        + #"{"apiFormat":"COHEREV2","finishReason":"COMPLETE","usage":{"promptTokens":10,"completionTokens":5,"totalTokens":15}}"#
                        + "\n\n"
                ]
            }
        }

        /// Before anything is said.
        var begin: [String] {
            self == .provider
                ? [
                    "data: "
                        + #"{"id":"up-1","created":7,"model":"theirs","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#
                        + "\n\n"
                ] : []
        }

        func whole(_ pieces: [String]) -> [String] { pieces.map(text) + end }
    }

    enum Language: String, CaseIterable, Sendable {
        case chat, messages, responses, completions

        var path: String {
            switch self {
            case .chat: "/v1/chat/completions"
            case .messages: "/v1/messages"
            case .responses: "/v1/responses"
            case .completions: "/v1/completions"
            }
        }

        func request(_ model: String, _ more: String = "") -> String {
            switch self {
            case .chat:
                #"{"model":"\#(model)","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"x"}]\#(more)}"#
            case .messages:
                #"{"model":"\#(model)","max_tokens":100,"stream":true,"messages":[{"role":"user","content":"x"}]\#(more)}"#
            case .responses: #"{"model":"\#(model)","stream":true,"input":"x"\#(more)}"#
            case .completions:
                #"{"model":"\#(model)","stream":true,"stream_options":{"include_usage":true},"prompt":"x"\#(more)}"#
            }
        }

        /// The text that a client puts together, decoded.
        func text(of body: String) -> String {
            var text = ""
            for line in body.split(separator: "\n") where line.hasPrefix("data: {") {
                guard
                    let event = try? JSONSerialization.jsonObject(with: Data(line.dropFirst(6).utf8)) as? [String: Any]
                else { continue }
                let choice = (event["choices"] as? [[String: Any]])?.first
                switch self {
                case .chat: text += (choice?["delta"] as? [String: Any])?["content"] as? String ?? ""
                case .messages: text += (event["delta"] as? [String: Any])?["text"] as? String ?? ""
                case .responses where event["type"] as? String == "response.output_text.delta":
                    text += event["delta"] as? String ?? ""
                case .responses: break
                case .completions: text += choice?["text"] as? String ?? ""
                }
            }
            return text
        }

        /// What stands once in a whole answer.
        var once: [String] {
            switch self {
            case .chat: [#""role":"assistant""#, #""finish_reason":"stop""#, "data: [DONE]", #""total_tokens":15"#]
            case .messages:
                [
                    "event: message_start", "event: content_block_start", "event: message_stop",
                    #""stop_reason":"end_turn""#,
                ]
            case .responses:
                ["event: response.created", "event: response.output_item.added", "event: response.completed"]
            case .completions: [#""finish_reason":"stop""#, "data: [DONE]"]
            }
        }

        var error: String {
            switch self {
            case .chat, .completions: #"{"error":"#
            case .messages: "event: error"
            case .responses: "event: response.failed"
            }
        }
    }

    /// How the first upstream breaks off.
    enum Cut: String, CaseIterable, Sendable { case end, reset, error, garbage }

    /// Upstreams that answer one after the other, as the test says.
    private static func upstreams(_ answers: [(pieces: [String], cut: Cut?)]) -> (FakeTransport, RescuePolicy) {
        let shared = Calls()
        let transport = FakeTransport { request in
            let place = shared.next()
            guard place < answers.count else { return TransportResponse(status: 500, headers: [:], body: .fed(["{}"])) }
            let (pieces, cut) = answers[place]
            if pieces.count == 1, pieces[0].hasPrefix("{") {
                return TransportResponse(status: 400, headers: ["content-type": "application/json"], body: .fed(pieces))
            }
            let feed = FakeTransport.Feed()
            for piece in pieces { feed.send(piece) }
            switch cut {
            case .reset: feed.end(throwing: TransportError.answerCut("reset by peer"))
            case .error:
                feed.send("data: {\"error\":{\"message\":\"overloaded\",\"code\":503}}\n\n")
                feed.end()
            case .garbage:
                feed.send("data: {\"choices\":[{\"ind")
                feed.end(throwing: TransportError.malformedAnswer("no chunk"))
            case .end, nil: feed.end()
            }
            return TransportResponse(status: 200, headers: ["content-type": "text/event-stream"], body: feed.body)
        }
        var policy = RescuePolicy()
        policy.mode = .verified
        return (transport, policy)
    }

    private final class Calls: Sendable {
        private let count = Mutex(0)
        func next() -> Int {
            count.withLock { count in
                count += 1
                return count - 1
            }
        }
    }

    private static func door(
        _ transport: FakeTransport, _ format: Format, _ policy: RescuePolicy, upstreams: Int = 3,
        fallbacks: [String: [String]] = [:], dialects: Set<ProviderDialect> = []
    ) throws -> FrontDoor {
        let time = ManualTime().source
        guard format == .provider else {
            return try .fixture(
                over: .fixture(transport, time: time, accounts: upstreams), time: time, rescue: policy,
                fallbacks: fallbacks)
        }
        let members = try (0..<upstreams).map { number in
            ProviderSettings(
                id: "up-\(number)", name: "up", baseURL: try #require(BaseURL("http://127.0.0.1:\(9 - number)/v1")),
                token: Secret("sk-12345678"), models: ["m", "other", "deepseek-chat", "gpt-5"], dialects: dialects)
        }
        let router = Router(
            members.map { (Provider($0, transport: transport, time: time), Upstream.Settings()) },
            limits: .init(concurrency: 200, queue: 2000), strategy: RoundRobin(), time: time, random: { 0.5 },
            logger: .silent)
        return try .fixture(over: router, time: time, rescue: policy, fallbacks: fallbacks)
    }

    private static func results(_ policy: RescuePolicy) -> [String] {
        policy.counters.all.flatMap { Array(repeating: $0.result.rawValue, count: $0.count) }
    }

    private static func asked(_ transport: FakeTransport, _ index: Int) throws -> [String: Any] {
        let bytes = try #require(transport.requests[index].body).readableBytesView
        return try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    }

    // MARK: Verified

    @Test(arguments: Format.allCases, Language.allCases)
    func `A stream goes on at another upstream, unseen`(_ format: Format, _ language: Language) async throws {
        for cut in [Cut.end, .reset] {
            let (transport, policy) = Self.upstreams([
                (format.begin + ["One ", "tw"].map(format.text), cut),
                (format.begin + format.whole(["O", "ne two", " three."]), nil),
            ])
            let answer = try await Self.door(transport, format, policy).answer(
                .POST, language.path, language.request(format.model))
            #expect(answer.status == 200 && language.text(of: answer.body) == "One two three.", "\(answer.body)")
            for once in language.once { #expect(answer.body.ranges(of: once).count == 1, "\(once) in \(answer.body)") }
            #expect(answer.body.ranges(of: ": rescued by \(format.model)\n\n").count == 1)
            #expect(
                Set(
                    answer.body.matches(of: /"id":"((?:up-1|chatcmpl-|cmpl-|msg_|resp_)[^"]*)"/).map { $0.1.prefix(12) }
                ).count <= 2)
            #expect(transport.requests.count == 2 && Self.results(policy) == ["armed", "attempted", "verified"])
        }
    }

    @Test(arguments: Cut.allCases) func `However it broke off`(_ cut: Cut) async throws {
        let (transport, policy) = Self.upstreams([
            (["One ", "tw"].map(Format.provider.text), cut), (Format.provider.whole(["One two", " three."]), nil),
        ])
        let answer = try await Self.door(transport, .provider, policy).answer(
            .POST, "/v1/chat/completions", Language.chat.request("up/m"))
        #expect(
            Language.chat.text(of: answer.body) == "One two three." && !answer.body.contains(#""error""#),
            "\(answer.body)")
    }

    @Test(arguments: Format.allCases, Language.allCases)
    func `Another answer is not told, and the error is the first one's`(_ format: Format, _ language: Language)
        async throws
    {
        let (transport, policy) = Self.upstreams([
            (["One ", "two"].map(format.text), .end), (format.whole(["One other"]), nil), (format.whole(["One"]), nil),
        ])
        let answer = try await Self.door(transport, format, policy).answer(
            .POST, language.path, language.request(format.model))
        #expect(language.text(of: answer.body) == "One two" && answer.body.contains(language.error), "\(answer.body)")
        #expect(!answer.body.contains("rescued") && !answer.body.contains("[DONE]"))
        #expect(transport.requests.count == 3)
        #expect(Self.results(policy) == ["armed", "attempted", "attempted", "diverged", "diverged"])
    }

    @Test func `A second break is rescued as well, and a third is not`() async throws {
        let text = Format.provider.text
        let (transport, policy) = Self.upstreams([
            ([text("One ")], .end), ([text("One t")], .reset), ([text("One two ")], .end),
            (Format.provider.whole(["One two three"]), nil),
        ])
        let answer = try await Self.door(transport, .provider, policy, upstreams: 4).answer(
            .POST, "/v1/chat/completions", Language.chat.request("up/m"))
        #expect(
            Language.chat.text(of: answer.body) == "One two " && answer.body.contains("upstream_stream_incomplete"),
            "\(answer.body)")
        #expect(transport.requests.count == 3)
    }

    @Test func `A fallback takes over when no other upstream has the model`() async throws {
        let (transport, policy) = Self.upstreams([
            ([Format.provider.text("One ")], .end), (Format.provider.whole(["One two"]), nil),
        ])
        let answer = try await Self.door(transport, .provider, policy, upstreams: 1, fallbacks: ["up/m": ["up/other"]])
            .answer(
                .POST, "/v1/chat/completions", Language.chat.request("up/m"))
        #expect(Language.chat.text(of: answer.body) == "One two", "\(answer.body)")
        #expect(answer.body.contains(": rescued by up/other\n\n") && answer.body.contains(#""model":"up/m""#))
        #expect(!answer.body.contains(#""model":"up/other""#))
        #expect(try Self.asked(transport, 1)["model"] as? String == "other")
    }

    @Test(
        arguments: [
            (#","n":2"#, nil), (#","logprobs":true"#, nil), (#","response_format":{"type":"json_object"}"#, nil),
            (#","tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"required""#, nil), ("", "off"),
            ("", "OFF"),
        ] as [(String, String?)])
    func `What nobody could repeat ends as before`(more: String, header: String?) async throws {
        let (transport, policy) = Self.upstreams([
            ([Format.provider.text("One ")], .end), (Format.provider.whole(["One two"]), nil),
        ])
        let answer = try await Self.door(transport, .provider, policy).answer(
            .POST, "/v1/chat/completions", Language.chat.request("up/m", more),
            headers: header.map { ["x-ociai-rescue": $0] } ?? [:])
        #expect(answer.body.contains("upstream_stream_incomplete") && transport.requests.count == 1, "\(answer.body)")
    }

    @Test(arguments: [
        #"{"reasoning_content":"hm"}"#, #"{"refusal":"no"}"#, #"{"content":"x","audio":{"id":"a"}}"#,
        #"{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{"}}]}"#,
        #"{"content":"x","annotations":[{}]}"#,
    ])
    func `What has told more than text ends as before`(delta: String) async throws {
        let chunk = "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":\(delta)}]}\n\n"
        let (transport, policy) = Self.upstreams([
            ([Format.provider.text("One "), chunk], .reset), (Format.provider.whole(["One two"]), nil),
        ])
        let answer = try await Self.door(transport, .provider, policy).answer(
            .POST, "/v1/chat/completions", Language.chat.request("up/m"))
        #expect(answer.body.contains(#""error""#) && transport.requests.count == 1, "\(answer.body)")
    }

    @Test func `Behind a finish reason an answer is complete, however it ends`() async throws {
        for format in [Format.provider, .generic] {
            let (transport, policy) = Self.upstreams([([format.text("One"), format.end[0]], .reset)])
            let answer = try await Self.door(transport, format, policy).answer(
                .POST, "/v1/chat/completions", Language.chat.request(format.model))
            #expect(answer.body.hasSuffix("data: [DONE]\n\n") && !answer.body.contains(#""error""#), "\(answer.body)")
            #expect(transport.requests.count == 1)
        }
    }

    @Test func `Tools that were offered may be called behind what was told`() async throws {
        let call =
            "data: "
            + #"{"id":"c","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]}}]}"#
            + "\n\n"
        let end =
            "data: " + #"{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#
            + "\n\ndata: [DONE]\n\n"
        let more = #","tools":[{"type":"function","function":{"name":"f"}}]"#
        for (text, isRescued) in [("One", true), ("On", false)] {
            var (transport, policy) = Self.upstreams([
                ([Format.provider.text("One")], .end), ([Format.provider.text(text), call, end], nil),
            ])
            policy.mode = .continue
            let answer = try await Self.door(transport, .provider, policy, upstreams: 2).answer(
                .POST, "/v1/chat/completions", Language.chat.request("up/deepseek-chat", more))
            #expect(answer.body.contains(#""name":"f""#) == isRescued, "\(answer.body)")
            // Never behind a prefill.
            #expect((try Self.asked(transport, 1)["messages"] as? [Any])?.count == 1)
        }
    }

    // MARK: Messages that pass as they are

    private static func message(_ texts: [String], _ more: [String] = []) -> [String] {
        func event(_ type: String, _ members: String) -> String {
            "event: \(type)\ndata: {\"type\":\"\(type)\"\(members)}\n\n"
        }
        return [
            event(
                "message_start",
                #","message":{"id":"msg_theirs","type":"message","role":"assistant","model":"theirs","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":10,"output_tokens":1}}"#
            ), event("content_block_start", #","index":0,"content_block":{"type":"text","text":""}"#),
            event("ping", ""),
        ] + texts.map { event("content_block_delta", #","index":0,"delta":{"type":"text_delta","text":"\#($0)"}"#) }
            + more.map { "event: x\ndata: \($0)\n\n" }
    }

    @Test(arguments: [Cut.end, .reset]) func `A message that passes goes on as a chat at another upstream`(_ cut: Cut)
        async throws
    {
        let (transport, policy) = Self.upstreams([
            (Self.message(["One ", "tw"]), cut), (Format.provider.whole(["O", "ne two", " three."]), nil),
        ])
        let answer = try await Self.door(transport, .provider, policy, dialects: [.messages]).answer(
            .POST, "/v1/messages", Language.messages.request("up/m"))
        #expect(Language.messages.text(of: answer.body) == "One two three.", "\(answer.body)")
        for once in Language.messages.once + ["msg_theirs", "event: content_block_stop"] {
            #expect(answer.body.ranges(of: once).count == 1, "\(once) in \(answer.body)")
        }
        #expect(answer.body.contains(": rescued by up/m\n\n") && answer.body.contains(#""output_tokens":5"#))
        let paths = transport.requests.map { $0.url.split(separator: "/v1/").last }
        #expect(paths == ["messages", "chat/completions"], "\(paths)")
    }

    @Test(arguments: [
        #"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#,
        #"{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{"type":"x"}}}"#,
        #"{"type":"content_block_stop","index":0}"#,
        #"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}"#,
    ])
    func `A message that has told more than a text ends as before`(event: String) async throws {
        let (transport, policy) = Self.upstreams([
            (Self.message(["One "], [event]), .reset), (Format.provider.whole(["One two"]), nil),
        ])
        let answer = try await Self.door(transport, .provider, policy, dialects: [.messages]).answer(
            .POST, "/v1/messages", Language.messages.request("up/m"))
        #expect(
            Language.messages.text(of: answer.body) == "One " && answer.body.contains("event: error"),
            "\(answer.body)")
        #expect(transport.requests.count == 1)
    }

    // MARK: Continued

    @Test func `A model that takes a prefill goes on behind it`() async throws {
        var (transport, policy) = Self.upstreams([
            (["One ", "two "].map(Format.provider.text), .end), (Format.provider.whole([" three."]), nil),
        ])
        policy.mode = .continue
        let answer = try await Self.door(transport, .provider, policy).answer(
            .POST, "/v1/chat/completions", Language.chat.request("up/deepseek-chat", #","max_tokens":50"#))
        #expect(Language.chat.text(of: answer.body) == "One two three.", "\(answer.body)")
        let asked = try Self.asked(transport, 1)
        let last = try #require((asked["messages"] as? [[String: Any]])?.last)
        #expect(
            last["role"] as? String == "assistant" && last["content"] as? String == "One two"
                && last["prefix"] as? Bool == true)
        #expect(asked["max_tokens"] as? Int == 48)
        // What the client has received: two tokens more, as many less in the prompt.
        #expect(answer.body.contains(#""prompt_tokens":8,"completion_tokens":7,"total_tokens":15"#))
        #expect(Self.results(policy) == ["armed", "attempted", "continued"])
    }

    @Test func `A prefill that is refused is never shown`() async throws {
        var (transport, policy) = Self.upstreams([
            ([Format.provider.text("One ")], .end),
            ([#"{"error":{"message":"prefill is not supported","code":"invalid_prefill"}}"#], nil),
            (Format.provider.whole(["One two"]), nil), ([Format.provider.text("One ")], .end),
            (Format.provider.whole(["One two"]), nil),
        ])
        policy.mode = .continue
        let door = try Self.door(transport, .provider, policy)
        for _ in 0..<2 {
            let answer = try await door.answer(.POST, "/v1/chat/completions", Language.chat.request("up/deepseek-chat"))
            #expect(
                Language.chat.text(of: answer.body) == "One two" && !answer.body.contains("prefill"), "\(answer.body)")
        }
        // It is asked once.
        #expect(transport.requests.count == 5)
        #expect(Set(Self.results(policy)) == ["armed", "attempted", "refused", "verified"])
    }

    @Test func `Who has broken off goes on itself when no other can`() async throws {
        for (mode, calls) in [(RescueMode.continue, 2), (.verified, 1)] {
            var (transport, policy) = Self.upstreams([
                ([Format.provider.text("One")], .reset), (Format.provider.whole([" two"]), nil),
            ])
            policy.mode = mode
            let answer = try await Self.door(transport, .provider, policy, upstreams: 1).answer(
                .POST, "/v1/chat/completions", Language.chat.request("up/deepseek-chat"))
            #expect((Language.chat.text(of: answer.body) == "One two") == (calls == 2), "\(answer.body)")
            #expect(transport.requests.count == calls)
        }
    }
}
