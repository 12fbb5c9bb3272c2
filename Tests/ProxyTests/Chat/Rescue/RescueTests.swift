import Foundation
import LedgerTestSupport
import NIOCore
import NIOHTTP1
import ProxyAccounting
import ProxyTestSupport
import Synchronization
import Testing

@testable import Proxy
@testable import ProxyRouting

/// Streams that break off when their client has been told a part, through the whole door.
@Suite(.timeLimit(.minutes(5))) struct RescueTests {
    typealias Format = BrokenStreams.Format
    typealias Language = BrokenStreams.Language

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
            let answer = try await BrokenStreams.door(transport, format, policy).answer(
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

    /// The seed and the temperature, too.
    @Test(arguments: Format.allCases) func `Who verifies is asked the same`(_ format: Format) async throws {
        let (transport, policy) = Self.upstreams([
            ([format.text("One ")], .end), (format.whole(["One two"]), nil),
        ])
        let answer = try await BrokenStreams.door(transport, format, policy).answer(
            .POST, "/v1/chat/completions", Language.chat.request(format.model, #","seed":7,"temperature":0.7"#))
        #expect(Language.chat.text(of: answer.body) == "One two", "\(answer.body)")
        let bodies = transport.requests.map { $0.body.map { String(buffer: $0) } }
        #expect(bodies.count == 2 && bodies[0] == bodies[1])
        #expect(bodies[0]?.contains(#""seed":7"#) == true && bodies[0]?.contains("0.7") == true)
    }

    @Test(arguments: Cut.allCases) func `However it broke off`(_ cut: Cut) async throws {
        let (transport, policy) = Self.upstreams([
            (["One ", "tw"].map(Format.provider.text), cut), (Format.provider.whole(["One two", " three."]), nil),
        ])
        let answer = try await BrokenStreams.door(transport, .provider, policy).answer(
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
        let answer = try await BrokenStreams.door(transport, format, policy).answer(
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
        let answer = try await BrokenStreams.door(transport, .provider, policy, upstreams: 4).answer(
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
        let answer = try await BrokenStreams.door(
            transport, .provider, policy, upstreams: 1, fallbacks: ["up/m": ["up/other"]]
        )
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
        let answer = try await BrokenStreams.door(transport, .provider, policy).answer(
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
        let answer = try await BrokenStreams.door(transport, .provider, policy).answer(
            .POST, "/v1/chat/completions", Language.chat.request("up/m"))
        #expect(answer.body.contains(#""error""#) && transport.requests.count == 1, "\(answer.body)")
    }

    @Test func `Behind a finish reason an answer is complete, however it ends`() async throws {
        for format in [Format.provider, .generic] {
            let (transport, policy) = Self.upstreams([([format.text("One"), format.end[0]], .reset)])
            let answer = try await BrokenStreams.door(transport, format, policy).answer(
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
            let answer = try await BrokenStreams.door(transport, .provider, policy, upstreams: 2).answer(
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
        let answer = try await BrokenStreams.door(transport, .provider, policy, dialects: [.messages]).answer(
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
        [#"{"type":"content_block_stop","index":0}"#], [#"{"error":{"message":"overloaded","code":503}}"#],
        [#"{"type":"content_block_stop","index":0}"#, #"{"type":"ping"}"#],
    ])
    func `A message is rescued behind the end of its text, and when the error is a chat's`(events: [String])
        async throws
    {
        let (transport, policy) = Self.upstreams([
            (Self.message(["One "], events), .reset), (Format.provider.whole(["One two"]), nil),
        ])
        let answer = try await BrokenStreams.door(transport, .provider, policy, dialects: [.messages]).answer(
            .POST, "/v1/messages", Language.messages.request("up/m"))
        #expect(
            Language.messages.text(of: answer.body) == "One two" && !answer.body.contains("overloaded"),
            "\(answer.body)")
        #expect(answer.body.ranges(of: "content_block_stop\ndata").count == 1)
    }

    @Test(arguments: [
        #"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#,
        #"{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{"type":"x"}}}"#,
        #"{"type":"content_block_stop","index":1}"#,
    ])
    func `A message that has told more than a text ends as before`(event: String) async throws {
        let (transport, policy) = Self.upstreams([
            (Self.message(["One "], [event]), .reset), (Format.provider.whole(["One two"]), nil),
        ])
        let answer = try await BrokenStreams.door(transport, .provider, policy, dialects: [.messages]).answer(
            .POST, "/v1/messages", Language.messages.request("up/m"))
        #expect(
            Language.messages.text(of: answer.body) == "One " && answer.body.contains("event: error"),
            "\(answer.body)")
        #expect(transport.requests.count == 1)
    }

    @Test(arguments: [Cut.end, .reset]) func `A message that has named its reason to end is whole`(_ cut: Cut)
        async throws
    {
        let reason = #"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}"#
        let (transport, policy) = Self.upstreams([
            (Self.message(["One "], [#"{"type":"content_block_stop","index":0}"#, reason]), cut),
            (Format.provider.whole(["One two"]), nil),
        ])
        let answer = try await BrokenStreams.door(transport, .provider, policy, dialects: [.messages]).answer(
            .POST, "/v1/messages", Language.messages.request("up/m"))
        #expect(
            Language.messages.text(of: answer.body) == "One " && !answer.body.contains("event: error"),
            "\(answer.body)")
        #expect(answer.body.hasSuffix("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"))
        #expect(transport.requests.count == 1)
    }

    // MARK: Continued

    @Test func `A model that takes a prefill goes on behind it`() async throws {
        var (transport, policy) = Self.upstreams([
            (["One ", "two "].map(Format.provider.text), .end), (Format.provider.whole([" three."]), nil),
        ])
        policy.mode = .continue
        let answer = try await BrokenStreams.door(transport, .provider, policy).answer(
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
        let door = try BrokenStreams.door(transport, .provider, policy)
        for _ in 0..<2 {
            let answer = try await door.answer(.POST, "/v1/chat/completions", Language.chat.request("up/deepseek-chat"))
            #expect(
                Language.chat.text(of: answer.body) == "One two" && !answer.body.contains("prefill"), "\(answer.body)")
        }
        // It is asked once.
        #expect(transport.requests.count == 5)
        #expect(Set(Self.results(policy)) == ["armed", "attempted", "refused", "verified"])
    }

    @Test func `What two calls of one attempt have used is charged and written down`() async throws {
        func usage(_ prompt: Int, _ completion: Int) -> String {
            #"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":\#(prompt),"completion_tokens":\#(completion)}}"#
                + "\n\ndata: [DONE]\n\n"
        }
        var (transport, policy) = Self.upstreams([
            ([Format.provider.text("One ")], .end),
            // It has nothing to add, and is asked to say all once more.
            ([usage(1000, 300)], nil),
            ([Format.provider.text("One two"), usage(20, 4)], nil),
        ])
        policy.mode = .continue
        let ledger = KeptLedger()
        let door = try BrokenStreams.door(transport, .provider, policy, ledger: ledger)
        let answer = try await door.answer(.POST, "/v1/chat/completions", Language.chat.request("up/deepseek-chat"))
        #expect(Language.chat.text(of: answer.body) == "One two", "\(answer.body)")
        #expect(transport.requests.count == 3)
        let row = try #require(ledger.entries.first)
        #expect(row.attempts.count == 2)
        #expect(row.attempts.last?.usage.prompt == 1020)
        #expect(row.attempts.last?.usage.completion == 304)
        #expect(row.attempts.last?.usage.truth == .reported)
        let broken = try #require(row.attempts.first?.usage)
        #expect(row.chargedTokens == 1324 + (broken.prompt ?? 0) + (broken.completion ?? 0))
    }

    @Test func `Who has broken off goes on itself when no other can`() async throws {
        for (mode, calls) in [(RescueMode.continue, 2), (.verified, 1)] {
            var (transport, policy) = Self.upstreams([
                ([Format.provider.text("One")], .reset), (Format.provider.whole([" two"]), nil),
            ])
            policy.mode = mode
            let answer = try await BrokenStreams.door(transport, .provider, policy, upstreams: 1).answer(
                .POST, "/v1/chat/completions", Language.chat.request("up/deepseek-chat"))
            #expect((Language.chat.text(of: answer.body) == "One two") == (calls == 2), "\(answer.body)")
            #expect(transport.requests.count == calls)
        }
    }

    // MARK: What goes wrong on the way

    /// A door over a router that can be looked at, on a clock that can be moved.
    private struct Bench {
        let time = ManualTime()
        let transport: FakeTransport
        let policy: RescuePolicy
        let router: Router
        let door: FrontDoor

        init(
            _ answers: [(pieces: [String], cut: Cut?)], upstreams: Int = 2,
            _ change: (inout RescuePolicy) -> Void = { _ in }
        ) throws {
            var (transport, policy) = RescueTests.upstreams(answers)
            change(&policy)
            (self.transport, self.policy) = (transport, policy)
            router = try BrokenStreams.router(transport, .provider, time.source, upstreams: upstreams)
            door = try .fixture(over: router, time: time.source, rescue: policy)
        }

        func chat(_ model: String = "up/m", _ more: String = "") async throws -> String {
            try await door.answer(.POST, "/v1/chat/completions", Language.chat.request(model, more)).body
        }

        func statistics() async -> [UpstreamState] { await router.snapshot().upstreams.map(\.state) }
    }

    @Test func `Each rescue draws on the retry budget`() async throws {
        // Three a second, whatever there is: the clock stands still.
        let answers = (0..<20).flatMap { _ in
            [([Format.provider.text("One ")], Cut.end), (Format.provider.whole(["One two"]), nil)]
                as [(pieces: [String], cut: Cut?)]
        }
        let bench = try Bench(answers, upstreams: 2)
        var rescued = 0
        for _ in 0..<10 {
            if try await bench.chat().contains("rescued by") { rescued += 1 }
            // Nobody else is asked, and the next of the answers is not used up.
            if bench.transport.requests.count % 2 == 1 { break }
        }
        #expect(rescued > 0 && rescued < 10, "\(rescued)")
    }

    @Test func `What one request meets at an upstream counts once`() async throws {
        let cut = ([Format.provider.text(" one")], Cut.reset) as (pieces: [String], cut: Cut?)
        let bench = try Bench([cut, cut, cut], upstreams: 1) { $0.mode = .continue }
        _ = try await bench.chat("up/deepseek-chat")
        #expect(bench.transport.requests.count > 1)
        let state = try #require(await bench.statistics().first)
        #expect(state.statistics.failed == bench.transport.requests.count)
        #expect(state.breaker.consecutiveFailures <= 1, "\(state.breaker)")
    }

    @Test(arguments: [
        #"{"error":{"message":"This model does not support assistant message prefill.","code":404}}"#,
        #"{"error":{"message":"messages[1].prefix is only available at the beta endpoint","code":"invalid_request_error"}}"#,
        #"{"error":{"message":"Requests ending with a model turn are not supported.","code":500}}"#,
    ])
    func `A refused prefill takes no model away, and is another client's no refusal`(refusal: String) async throws {
        let bench = try Bench([
            ([Format.provider.text("One ")], .end), ([refusal], nil), (Format.provider.whole(["One two"]), nil),
            (Format.provider.whole(["Yes"]), nil),
        ]) { $0.mode = .continue }
        #expect(Language.chat.text(of: try await bench.chat("up/deepseek-chat")) == "One two")
        #expect(await bench.statistics().allSatisfy { $0.statistics.failed <= 1 })
        // Whoever ends a request so is for the upstream to judge.
        let asked =
            #"{"model":"up/deepseek-chat","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y"}]}"#
        let answer = try await bench.door.answer(.POST, "/v1/messages", asked)
        #expect(answer.status == 200 && Language.messages.text(of: answer.body) == "Yes", "\(answer.body)")
    }

    @Test func `A refrain is not an echo, and a new answer no continuation`() async throws {
        var bench = try Bench([
            ([Format.provider.text("ha")], .end), (Format.provider.whole(["ha", "ha!"]), nil),
        ]) { $0.mode = .continue }
        #expect(Language.chat.text(of: try await bench.chat("up/deepseek-chat")) == "hahaha!")
        let long = (1...30).map { "word\($0)" }.joined(separator: " ")
        bench = try Bench([
            ([Format.provider.text(long)], .end), (Format.provider.whole([long, " and more"]), nil),
        ]) { $0.mode = .continue }
        #expect(Language.chat.text(of: try await bench.chat("up/deepseek-chat")) == long + " and more")
        bench = try Bench([
            ([Format.provider.text(long)], .end), (Format.provider.whole([String(long.prefix(40)), "#"]), nil),
        ]) { $0.mode = .continue }
        let told = try await bench.chat("up/deepseek-chat")
        #expect(Language.chat.text(of: told) == long && told.contains("upstream_stream_incomplete"), "\(told)")
    }

    /// Servers like vLLM's begin anew unless they are told.
    @Test func `Others than the vendor are told to go on`() async throws {
        let bench = try Bench([
            ([Format.provider.text("One ")], .end), (Format.provider.whole([" two"]), nil),
        ]) { $0.mode = .continue }
        _ = try await bench.chat("up/deepseek-chat")
        let asked = try Self.asked(bench.transport, 1)
        #expect(asked["continue_final_message"] as? Bool == true && asked["add_generation_prompt"] as? Bool == false)
        for (endpoint, isVendor) in [
            ("https://api.deepseek.com/beta", true), ("https://api.mistral.ai/v1", true),
            ("https://dashscope-intl.aliyuncs.com/compatible-mode/v1", true), ("http://127.0.0.1:8000/v1", false),
            ("https://notdeepseek.com/v1", false),
        ] {
            #expect(AssistantPrefill.isVendor(endpoint) == isVendor, "\(endpoint)")
        }
    }

    @Test func `Who has broken off or told another text is not asked to repeat it`() async throws {
        let text = Format.provider.text
        let (transport, policy) = Self.upstreams([
            ([text("One ")], .end), ([text("One two ")], .reset), (Format.provider.whole(["One two three"]), nil),
        ])
        let answer = try await BrokenStreams.door(transport, .provider, policy, upstreams: 2).answer(
            .POST, "/v1/chat/completions", Language.chat.request("up/m"))
        #expect(transport.requests.count == 2 && answer.body.contains("upstream_stream_incomplete"), "\(answer.body)")
    }

    /// The client has its text; a filter's word, or whatever follows, is no reason to tell it another one.
    @Test(arguments: Language.allCases, ["stop", "content_filter"])
    func `Behind a finish reason nothing is rescued`(_ language: Language, reason: String) async throws {
        let end = "data: {\"id\":\"up-1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"\(reason)\"}]}\n\n"
        let (transport, policy) = Self.upstreams([
            ([Format.provider.text("One "), end], .error), (Format.provider.whole(["One two"]), nil),
        ])
        let answer = try await BrokenStreams.door(transport, .provider, policy).answer(
            .POST, language.path, language.request("up/m"))
        #expect(!answer.body.contains("rescued") && transport.requests.count == 1, "\(answer.body)")
    }

    @Test func `A server that does not know what others are told is asked without`() async throws {
        for refusal in [
            #"{"error":{"message":"Unrecognized request argument supplied: continue_final_message","type":"invalid_request_error"}}"#,
            #"{"error":{"message":"Extra inputs are not permitted","param":"add_generation_prompt","code":422}}"#,
        ] {
            let bench = try Bench([
                ([Format.provider.text("One ")], .end), ([refusal], nil), (Format.provider.whole([" two"]), nil),
            ]) { $0.mode = .continue }
            #expect(Language.chat.text(of: try await bench.chat("up/deepseek-chat")) == "One two")
            let asked = try Self.asked(bench.transport, 2)
            #expect(asked["continue_final_message"] == nil && (asked["messages"] as? [Any])?.count == 2)
            #expect(Self.results(bench.policy) == ["armed", "attempted", "continued"])
        }
    }

    @Test func `A continuation is asked for whatever the client has said of its own request`() async throws {
        let bench = try Bench([
            ([Format.provider.text("One ")], .end), (Format.provider.whole([" two"]), nil),
        ]) { $0.mode = .continue }
        _ = try await bench.chat("up/deepseek-chat", #","add_generation_prompt":true,"continue_final_message":null"#)
        let asked = try Self.asked(bench.transport, 1)
        #expect(asked["continue_final_message"] as? Bool == true && asked["add_generation_prompt"] as? Bool == false)
    }

    /// Who has Messages alone is not without the model for that.
    @Test func `A model that is no chat there stays in the lists`() async throws {
        let calls = Calls()
        let messages = Self.message(["One "])
        let transport = FakeTransport { request in
            guard request.url.hasSuffix("/messages") else {
                return TransportResponse(
                    status: 404, headers: ["content-type": "application/json"],
                    body: .fed([#"{"error":{"message":"The model 'm' does not exist","code":"model_not_found"}}"#]))
            }
            _ = calls.next()
            return TransportResponse(
                status: 200, headers: ["content-type": "text/event-stream"], body: .fed(messages))
        }
        var policy = RescuePolicy()
        policy.mode = .verified
        let door = try BrokenStreams.door(transport, .provider, policy, upstreams: 2, dialects: [.messages])
        for number in 1...3 {
            let answer = try await door.answer(.POST, "/v1/messages", Language.messages.request("up/m"))
            #expect(answer.status == 200 && Language.messages.text(of: answer.body) == "One ", "\(answer.body)")
            #expect(calls.next() == 2 * number - 1)
        }
    }

    @Test func `What was cut in the middle of an event is no hole`() async throws {
        let torn = String(Format.provider.text(" two").prefix(60))
        let bench = try Bench([
            ([Format.provider.text("One "), torn], .end), (Format.provider.whole([" two"]), nil),
        ]) { $0.mode = .continue }
        #expect(Language.chat.text(of: try await bench.chat("up/deepseek-chat")) == "One two")
        #expect(Self.results(bench.policy) == ["armed", "attempted", "continued"])
    }

    @Test func `Tokens of several upstreams add up`() async throws {
        func counted(_ text: String, _ tokens: Int) -> String {
            "data: {\"id\":\"up-1\",\"created\":7,\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\(text)\"}}],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":\(tokens),\"total_tokens\":\(10 + tokens)}}\n\n"
        }
        let bench = try Bench(
            [
                ([counted("One", 40)], .end), ([counted(" two", 1)], .reset), (Format.provider.whole([" three"]), nil),
            ], upstreams: 3
        ) { $0.mode = .continue }
        let body = try await bench.chat("up/deepseek-chat", #","max_tokens":100"#)
        #expect(Language.chat.text(of: body) == "One two three", "\(body)")
        #expect(try Self.asked(bench.transport, 1)["max_tokens"] as? Int == 60)
        #expect(try Self.asked(bench.transport, 2)["max_tokens"] as? Int == 59)
        #expect(body.contains(#""completion_tokens":46"#), "\(body)")
    }

    @Test(arguments: Language.allCases) func `A document in place of the second stream is told as one`(
        _ language: Language
    )
        async throws
    {
        let document =
            #"{"id":"d","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"One two"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}"#
        let calls = Calls()
        let transport = FakeTransport { _ in
            let isFirst = calls.next() == 0
            return TransportResponse(
                status: 200, headers: ["content-type": isFirst ? "text/event-stream" : "application/json"],
                body: .fed(isFirst ? Format.provider.begin + [Format.provider.text("One ")] : [document]))
        }
        var policy = RescuePolicy()
        policy.mode = .verified
        let answer = try await BrokenStreams.door(transport, .provider, policy).answer(
            .POST, language.path, language.request("up/m"))
        #expect(
            language.text(of: answer.body) == "One two" && answer.body.contains(": rescued by up/m"), "\(answer.body)")
        for once in language.once { #expect(answer.body.ranges(of: once).count == 1, "\(once) in \(answer.body)") }
        #expect(Self.results(policy) == ["armed", "attempted", "verified"])
    }

    @Test func `Empty members do not disarm`() async throws {
        let chunk =
            #"data: {"id":"up-1","choices":[{"index":0,"delta":{"content":"One ","reasoning_details":[],"annotations":[],"tool_calls":[],"audio":null,"refusal":""}}]}"#
            + "\n\n"
        let (transport, policy) = Self.upstreams([([chunk], .end), (Format.provider.whole(["One two"]), nil)])
        let answer = try await BrokenStreams.door(transport, .provider, policy).answer(
            .POST, "/v1/chat/completions", Language.chat.request("up/m"))
        #expect(Language.chat.text(of: answer.body) == "One two", "\(answer.body)")
    }

    @Test func `What a second upstream refuses by name is left out, as ever`() async throws {
        let refusal =
            #"{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}}"#
        let bench = try Bench([
            ([Format.provider.text("One ")], .end), ([refusal], nil), (Format.provider.whole(["One two"]), nil),
        ])
        let answer = try await bench.door.answer(.POST, "/v1/messages", Language.messages.request("up/m"))
        #expect(Language.messages.text(of: answer.body) == "One two", "\(answer.body)")
        #expect(try Self.asked(bench.transport, 2)["max_completion_tokens"] as? Int == 100)
    }

    @Test func `Tokens that the first has counted are taken as counted`() async throws {
        func counted(_ text: String, _ tokens: Int) -> String {
            "data: {\"id\":\"up-1\",\"created\":7,\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\(text)\"}}],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":\(tokens),\"total_tokens\":\(10 + tokens)}}\n\n"
        }
        let bench = try Bench([
            ([counted("One ", 3)], .end), (Format.provider.whole([" two"]), nil),
        ]) { $0.mode = .continue }
        let body = try await bench.chat("up/deepseek-chat", #","max_tokens":50"#)
        #expect(try Self.asked(bench.transport, 1)["max_tokens"] as? Int == 47)
        #expect(body.contains(#""prompt_tokens":7,"completion_tokens":8,"total_tokens":15"#), "\(body)")
    }
}
