import Foundation
import OCISimulator
import Testing

/// What upstreams really say, over the binary: the client gets the answer that was meant, from one call, and the operator is told once.
@Suite struct HabitTests {
    /// The first choice of an answer, whichever form it has.
    private struct Told {
        var text = ""
        /// Name and arguments of each call.
        var calls: [[String]] = []
        var ids: [String] = []
        var reason: String?
        var tokens: Int?

        init(_ answer: RawAnswer, streams: Bool) throws {
            guard streams else {
                let root = try #require(answer.json, "\(answer.body)")
                let choice = try #require((root["choices"] as? [[String: Any]])?.first)
                let message = try #require(choice["message"] as? [String: Any])
                text = message["content"] as? String ?? ""
                reason = choice["finish_reason"] as? String
                tokens = (root["usage"] as? [String: Any])?["total_tokens"] as? Int
                for call in message["tool_calls"] as? [[String: Any]] ?? [] { take(call, at: calls.count) }
                return
            }
            let events = answer.body.replacing("\r\n", with: "\n").split(separator: "\n").filter {
                $0.hasPrefix("data: ")
            }.map { $0.dropFirst(6) }
            #expect(events.last == "[DONE]", "\(answer.body)")
            for event in events.dropLast() {
                let chunk = try #require(try JSONSerialization.jsonObject(with: Data(event.utf8)) as? [String: Any])
                tokens = (chunk["usage"] as? [String: Any])?["total_tokens"] as? Int ?? tokens
                guard let choice = (chunk["choices"] as? [[String: Any]])?.first,
                    let delta = choice["delta"] as? [String: Any]
                else { continue }
                text += delta["content"] as? String ?? ""
                reason = choice["finish_reason"] as? String ?? reason
                for call in delta["tool_calls"] as? [[String: Any]] ?? [] {
                    take(call, at: try #require(call["index"] as? Int))
                }
            }
        }

        private mutating func take(_ call: [String: Any], at index: Int) {
            let function = call["function"] as? [String: Any]
            if index == calls.count {
                calls.append([function?["name"] as? String ?? "", ""])
                ids.append(call["id"] as? String ?? "")
            }
            guard calls.indices.contains(index) else { return }
            calls[index][1] += function?["arguments"] as? String ?? ""
        }
    }

    private static let tools = ["get_sun", "get_rain"].map {
        #"{"type":"function","function":{"name":"\#($0)","description":"d","parameters":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}}}"#
    }.joined(separator: ",")

    private static func question(_ model: String, streams: Bool) -> String {
        RunningProxy.body(
            "use get_sun and get_rain", model: model, streams: streams,
            #","max_tokens":200,"stream_options":{"include_usage":true},"tools":[\#(tools)]"#)
    }

    private func counts(_ proxy: RunningProxy) async throws -> [String: Int] {
        let lines = try await proxy.get("/metrics").body.split(separator: "\n").filter {
            $0.hasPrefix("ociai_upstream_oddities_total{")
        }
        return try Dictionary(
            uniqueKeysWithValues: lines.map { line in
                let found = try #require(
                    line.firstMatch(of: #/upstream="([^"]+)",kind="([a-z_]+)"\} (\d+)/#), "\(line)")
                return ("\(found.1) \(found.2)", try #require(Int(found.3)))
            })
    }

    private func saidOnce(_ log: String, _ kind: String) -> Bool {
        log.split(separator: "\n").filter { $0.contains("deviates from its API") && $0.contains(kind) }.count == 1
    }

    // MARK: Providers

    /// What is counted for a habit.
    private static func oddity(_ habit: FakeProvider.Habit, streams: Bool) -> String? {
        switch habit {
        case .reasonWithEachEvent, .reasonFirst, .callsBehindReason: streams ? "continues_after_finish" : nil
        case .noDone: streams ? "no_done" : nil
        case .oneCallID, .noCallIDs, .emptyCallIDs, .nameAsCallID, .argumentsAsObject: "tool_calls_unclear"
        case .restatedCalls, .noCallNumbers, .oneCallNumber: streams ? "tool_calls_unclear" : nil
        case .otherKind: "other_kind"
        case .documentBetweenLines: nil
        case .wrapped: streams ? nil : "wrapped_answer"
        case .none, .lateUsage, .noReason, .carriageReturns, .returnsAndFeeds, .comments, .noBlankLines, .created: nil
        }
    }

    @Test func `Every habit of a provider gives its answer`() async throws {
        let provider = try await FakeProvider.start()
        try await RunningProxy.run(providers: ["odd": provider]) { proxy in
            var expected: [String: Int] = [:]
            var calls = 0
            for habit in FakeProvider.Habit.allCases {
                provider.setBehaviour { .answer(habit, to: $0) }
                for streams in [false, true] {
                    let answer = try await proxy.chat(Self.question("odd/m1", streams: streams))
                    #expect(answer.status == 200, "\(habit): \(answer.body)")
                    let told = try Told(answer, streams: streams)
                    #expect(
                        told.text == "one two" && told.calls == [["f", #"{"n":1}"#], ["f", #"{"n":2}"#]],
                        "\(habit), \(streams): \(answer.body)")
                    #expect(Set(told.ids).count == 2 && !told.ids.contains(""), "\(habit), \(streams): \(told.ids)")
                    #expect(
                        told.reason == (habit == .noReason && streams ? nil : "tool_calls") && told.tokens == 7,
                        "\(habit), \(streams): \(answer.body)")
                    if let oddity = Self.oddity(habit, streams: streams) { expected["odd \(oddity)", default: 0] += 1 }
                    calls += 1
                }
            }
            #expect(provider.calls.count == calls, "nobody is asked twice")
            try await eventually("the books to be closed") { try await proxy.isIdle() }
            #expect(try await counts(proxy).filter { $0.value > 0 } == expected)
            for kind in expected.keys {
                #expect(saidOnce(proxy.log, String(kind.dropFirst("odd ".count))), "\(kind): \(proxy.log)")
            }
        }
    }

    @Test func `Errors under success are counted and mean what they say`() async throws {
        let provider = try await FakeProvider.start()
        try await RunningProxy.run(providers: ["odd": provider], settings: "retry_attempts = 0") { proxy in
            let error = #"{"error":{"message":"top_k is too odd","type":"invalid_request_error"}}"#
            for streams in [false, true] {
                provider.setBehaviour { _ in FakeProvider.Reply(pieces: [error]) }
                let answer = try await proxy.chat(Self.question("odd/m1", streams: streams))
                #expect(answer.status == 400 && answer.error("message") == "top_k is too odd", "\(answer.body)")
            }
            provider.setBehaviour { call in
                var reply = FakeProvider.Reply.answer("part", to: call)
                reply.pieces = [reply.pieces[0], "data: \(error)\n\n"]
                return reply
            }
            let broken = try await proxy.chat(Self.question("odd/m1", streams: true))
            #expect(
                broken.status == 200 && broken.body.contains("part") && broken.body.contains("top_k is too odd")
                    && !broken.body.contains("[DONE]"), "\(broken.body)")
            provider.setBehaviour { _ in FakeProvider.Reply(pieces: [error]) }
            let vectors = try await proxy.post("/v1/embeddings", #"{"model":"odd/m1","input":"x"}"#)
            #expect(vectors.status == 400 && vectors.error("message") == "top_k is too odd", "\(vectors.body)")
            try await eventually("the books to be closed") { try await proxy.isIdle() }
            #expect(
                try await counts(proxy).filter { $0.value > 0 } == ["odd error_as_answer": 3, "odd error_in_stream": 1])
            for kind in ["error_as_answer", "error_in_stream"] { #expect(saidOnce(proxy.log, kind), "\(proxy.log)") }
        }
    }

    // MARK: OCI

    private static let habits: [Habit] = [
        .reasonWithEachEvent, .reasonFirst, .lateTail(.milliseconds(200)), .oneCallID, .noCallIDs, .nameAsCallID,
        .restatedCalls, .carriageReturns, .packed,
    ]

    @Test(arguments: [
        "grok-4", "llama-3.3-70b", "gemini-2.5-flash", "gpt-oss-120b", "command-a", "cohere.command-r-plus-08-2024",
    ])
    func `Every habit of OCI gives its answer`(model: String) async throws {
        try await RunningProxy.run { proxy in
            for streams in [false, true] {
                let usual = try Told(try await proxy.chat(Self.question(model, streams: streams)), streams: streams)
                #expect(
                    usual.calls.map(\.first) == ["get_sun", "get_rain"] && usual.reason == "tool_calls", "\(usual)")
                // Without ids, a call that is said twice is two calls.
                let habits = Self.habits.filter { !model.hasPrefix("gemini") || $0 != .restatedCalls }
                for habit in habits {
                    proxy.simulator.add(Fault(.habit(habit), kind: .chat))
                    let answer = try await proxy.chat(Self.question(model, streams: streams))
                    #expect(answer.status == 200, "\(habit): \(answer.body)")
                    let told = try Told(answer, streams: streams)
                    #expect(
                        told.text == usual.text && told.calls == usual.calls && told.reason == usual.reason,
                        "\(habit), \(streams): \(answer.body)")
                    #expect(Set(told.ids).count == 2 && !told.ids.contains(""), "\(habit), \(streams): \(told.ids)")
                    #expect(told.tokens == usual.tokens && told.tokens != nil, "\(habit), \(streams): \(answer.body)")
                }
            }
            let habits = Self.habits.count - (model.hasPrefix("gemini") ? 1 : 0)
            #expect(proxy.chats.count == 2 * (habits + 1), "nobody is asked twice")
        }
    }

    @Test(arguments: OddRefusal.forms.indices)
    func `Every form of a refusal keeps its words`(form: Int) async throws {
        try await RunningProxy.run { proxy in
            for status in [400, 422, 404] {
                for streams in [false, true] {
                    proxy.simulator.add(Fault(.oddRefusal(status, form: form), kind: .chat))
                    let answer = try await proxy.chat(RunningProxy.body(streams: streams))
                    #expect(
                        answer.status == status && answer.error("message")?.contains(OddRefusal.words) == true,
                        "\(answer.body)")
                }
            }
        }
    }
}
