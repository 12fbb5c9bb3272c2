import Foundation
import OCISimulator
import TestFixtures
import Testing

@Suite struct ChatTests {
    @Test(
        arguments: ["grok-4", "grok-3-mini", "llama-3.3-70b", "gemini-2.5-flash", "gpt-oss-120b", "xai.grok-4"],
        [false, true])
    func `Every family answers`(model: String, streams: Bool) async throws {
        try await RunningProxy.run { proxy in
            let answer = try await proxy.chat(RunningProxy.body("Tell me of harbours.", model: model, streams: streams))
            #expect(answer.status == 200)
            #expect(answer.headers["x-request-id"] != nil)
            if streams {
                #expect(answer.headers["content-type"] == "text/event-stream; charset=utf-8")
                #expect(answer.headers["cache-control"] == "no-cache" && answer.headers["x-accel-buffering"] == "no")
                #expect(answer.headers["content-length"] == nil && answer.headers["content-encoding"] == nil)
                #expect(answer.text.contains("harbours"))
                #expect(answer.events.last == "[DONE]")
                #expect(!answer.body.contains(#""usage":{"#))
            } else {
                #expect(answer.headers["content-type"] == "application/json")
                #expect(answer.json?["model"] as? String == model)
                #expect(answer.body.contains("harbours"))
                #expect((answer.json?["usage"] as? [String: Any])?["total_tokens"] is Int)
            }
            #expect(proxy.simulator.requests.filter { $0.kind == .chat }.allSatisfy { $0.refusal == nil })
        }
    }

    /// What each client sends, in both modes, for a model of every dialect.
    @Test(arguments: ["grok-4", "llama-3.3-70b", "gemini-2.5-flash", "gpt-oss-120b"])
    func `Every client's request is accepted`(model: String) async throws {
        let folder = Fixtures.url("clients")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().filter {
            $0.hasSuffix(".json") && $0 != "index.json"
        }
        try await RunningProxy.run { proxy in
            let connection = try await proxy.connect()
            defer { connection.close() }
            var chats = 0
            for file in files {
                let data = try Data(contentsOf: folder.appending(path: file))
                guard var request = try JSONSerialization.jsonObject(with: data) as? [String: Any],
                    request["messages"] != nil
                else { continue }
                chats += 1
                request["model"] = model
                for streams in [true, false] {
                    request["stream"] = streams
                    let body = String(decoding: try JSONSerialization.data(withJSONObject: request), as: UTF8.self)
                    connection.send(proxy.chatRequest(body))
                    let answer = try await connection.answer()
                    #expect(answer.status == 200, "\(file): \(answer.body)")
                    if streams { #expect(answer.events.last == "[DONE]", "\(file): \(answer.body)") }
                }
            }
            #expect(chats >= 25)
        }
    }

    @Test func `An answer in one piece is told as a stream when the configuration says so`() async throws {
        try await RunningProxy.run(settings: "force_non_stream = true") { proxy in
            let answer = try await proxy.chat(
                RunningProxy.body("Tell me of harbours.", streams: true, #","stream_options":{"include_usage":true}"#))
            #expect(answer.status == 200 && answer.text.contains("harbours") && answer.events.last == "[DONE]")
            #expect(answer.body.contains(#""usage":{"#))
            let seen = try #require(proxy.simulator.requests.last { $0.kind == .chat })
            #expect(!seen.isStream)
        }
    }

    @Test func `The default limit is sent when the client sets none`() async throws {
        try await RunningProxy.run(settings: "default_max_tokens = 1234") { proxy in
            _ = try await proxy.chat(RunningProxy.body())
            _ = try await proxy.chat(RunningProxy.body(model: "grok-4", #","max_tokens":77"#))
            let limits = proxy.simulator.requests.filter { $0.kind == .chat }.map {
                String(decoding: $0.body, as: UTF8.self)
            }
            #expect(limits[0].contains(#""maxTokens":1234"#))
            #expect(limits[1].contains(#""maxTokens":77"#))
        }
    }

    private static let cohere = """
        command-a-reasoning = cohere.command-a-reasoning-08-2025
        command-a-vision = cohere.command-a-vision-07-2025
        """

    @Test(arguments: ["command-a", "command-a-reasoning", "command-a-vision"], ["", "force_non_stream = true"])
    func `Every format of Cohere answers`(model: String, settings: String) async throws {
        try await RunningProxy.run(settings: settings, models: Self.cohere) { proxy in
            for streams in [false, true] {
                let answer = try await proxy.chat(
                    RunningProxy.body("Tell me of harbours.", model: model, streams: streams))
                #expect(answer.status == 200, "\(answer.body)")
                if streams {
                    #expect(answer.events.last == "[DONE]")
                    // The last event of a COHERE stream has the whole text once more.
                    #expect(answer.text.components(separatedBy: "harbours").count == 2, "\(answer.text)")
                } else {
                    #expect(answer.json?["model"] as? String == model && answer.body.contains("harbours"))
                }
            }
            #expect(proxy.simulator.requests.filter { $0.kind == .chat }.allSatisfy { $0.refusal == nil })
        }
    }

    /// One of them has no ids for calls, and no hyphens in names.
    @Test(arguments: ["command-a", "command-a-reasoning"])
    func `Tool loops end in every format of Cohere`(model: String) async throws {
        try await RunningProxy.run(models: Self.cohere) { proxy in
            var request: [String: Any] = [
                "model": model, "messages": [["role": "user", "content": "Ask get-weather, also called get_weather."]],
                "tools": [
                    [
                        "type": "function",
                        "function": [
                            "name": "get-weather",
                            "parameters": ["type": "object", "properties": ["city": ["type": "string"]]],
                        ],
                    ]
                ],
            ]
            func ask() async throws -> [String: Any] {
                let answer = try await proxy.chat(
                    String(decoding: try JSONSerialization.data(withJSONObject: request), as: UTF8.self))
                #expect(answer.status == 200, "\(answer.body)")
                let choices = try #require(answer.json?["choices"] as? [[String: Any]])
                return try #require(choices.first)
            }
            let asked = try await ask()
            #expect(asked["finish_reason"] as? String == "tool_calls")
            let message = try #require(asked["message"] as? [String: Any])
            let call = try #require((message["tool_calls"] as? [[String: Any]])?.first)
            #expect((call["function"] as? [String: Any])?["name"] as? String == "get-weather")
            let result = ["role": "tool", "tool_call_id": try #require(call["id"] as? String), "content": "18 degrees"]
            request["messages"] = (request["messages"] as? [[String: Any]] ?? []) + [message, result]
            let told = try await ask()
            #expect(told["finish_reason"] as? String == "stop")
            #expect(((told["message"] as? [String: Any])?["content"] as? String)?.contains("18 degrees") == true)
        }
    }

    /// What has come from the upstream is with the client, also while nothing more comes.
    @Test(arguments: [1, 2, 5])
    func `Each event is passed on before the next`(events: Int) async throws {
        try await RunningProxy.run(pacing: Pacing(events: 8, text: "tick ")) { proxy in
            proxy.simulator.add(Fault(.stallMidway(afterEvents: events), kind: .chat))
            let connection = try await proxy.connect()
            defer { connection.close() }
            connection.send(proxy.chatRequest(RunningProxy.body(streams: true)))
            try await connection.received(#""content":"tick "#, times: events)
        }
    }

    /// Eight events, 150 ms apart, reach the client with the same gaps. Another program can hold this one up for longer than a gap,
    /// so one stream of several has to.
    @Test func `Tokens arrive as they are spoken`() async throws {
        let gap = 0.15
        try await RunningProxy.run(pacing: Pacing(events: 8, text: "tick ", interval: .milliseconds(150))) { proxy in
            var streams: [[Double]] = []
            func isEven(_ gaps: [Double]) -> Bool {
                gaps.allSatisfy { $0 > gap / 3 } && abs(gaps.reduce(0, +) - gap * 7) < gap
            }
            while streams.count < 10, !streams.contains(where: isEven) {
                let connection = try await proxy.connect()
                defer { connection.close() }
                connection.send(proxy.chatRequest(RunningProxy.body(streams: true)))
                var moments: [ContinuousClock.Instant] = []
                for count in 1...8 {
                    try await connection.received(#""content":"tick "#, times: count)
                    moments.append(.now)
                }
                streams.append(zip(moments.dropFirst(), moments).map { ($0 - $1) / .seconds(1) })
            }
            #expect(streams.contains(where: isEven), "\(streams)")
        }
    }
}
