import Foundation
import OCISimulator
import Testing

/// What a client sees when its upstream misbehaves.
@Suite struct FaultTests {
    private func expectError(
        _ action: Fault.Action, streams: Bool, status: Int, code: String, settings: String = "",
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await RunningProxy.run(settings: settings) { proxy in
            proxy.simulator.add(Fault(action, kind: .chat, times: nil))
            let answer = try await proxy.chat(RunningProxy.body(streams: streams))
            #expect(answer.status == status, "\(answer.body)", sourceLocation: sourceLocation)
            #expect(answer.error("code") == code, "\(answer.body)", sourceLocation: sourceLocation)
            #expect(answer.headers["content-type"] == "application/json", sourceLocation: sourceLocation)
            for member in ["message", "type"] {
                #expect(answer.error(member)?.isEmpty == false, sourceLocation: sourceLocation)
            }
            #expect(!answer.body.contains("<html"), sourceLocation: sourceLocation)
        }
    }

    @Test(
        arguments: [
            (Fault.Action.status(400), 400, "invalid_request"), (.status(404), 404, "model_not_found"),
            (.status(413), 413, "request_too_large"),
            (.status(401), 502, "upstream_auth_failed"), (.status(403), 502, "upstream_auth_failed"),
            (.status(429), 429, "rate_limit_exceeded"),
            (.status(500), 502, "upstream_error"), (.status(503), 503, "upstream_unavailable"),
            (Fault.Action.gatewayTimeoutPage, 504, "upstream_timeout"),
            (.reset, 502, "upstream_connection_lost"), (.close, 502, "upstream_connection_lost"),
            (.empty, 502, "upstream_empty_answer"),
        ], [false, true])
    func `A failure before the first event is an ordinary error`(
        fault: (action: Fault.Action, status: Int, code: String), streams: Bool
    ) async throws {
        try await expectError(fault.action, streams: streams, status: fault.status, code: fault.code)
    }

    /// GENERIC, COHERE and COHEREV2.
    @Test(arguments: ["grok-4", "command-a", "cohere.command-a-reasoning-08-2025"], [false, true])
    func `An answer of the other kind is turned round`(model: String, streams: Bool) async throws {
        try await RunningProxy.run { proxy in
            proxy.simulator.add(Fault(.otherKind, kind: .chat, times: nil))
            let answer = try await proxy.chat(RunningProxy.body("Tell me of harbours.", model: model, streams: streams))
            #expect(answer.status == 200 && answer.body.contains("harbours"), "\(answer.body)")
            #expect(
                streams ? answer.events.last == "[DONE]" : answer.json?["object"] as? String == "chat.completion",
                "\(answer.body)")
            #expect(proxy.chats.count == 1)
        }
    }

    @Test func `The upstream's wait is passed on`() async throws {
        try await RunningProxy.run { proxy in
            proxy.simulator.add(Fault(.status(429, retryAfter: 7), kind: .chat))
            let answer = try await proxy.chat(RunningProxy.body())
            #expect(answer.status == 429 && answer.headers["retry-after"] == "7")
        }
    }

    @Test func `Refused credentials are not the client's fault`() async throws {
        try await RunningProxy.run { proxy in
            proxy.simulator.add(Fault(.status(401), kind: .chat))
            let answer = try await proxy.chat(RunningProxy.body())
            #expect(answer.status == 502 && answer.headers["x-should-retry"] == "false")
            #expect(answer.error("message")?.contains("'default'") == true)
        }
    }

    @Test(arguments: [false, true])
    func `An unreachable upstream is said at once`(streams: Bool) async throws {
        try await RunningProxy.run(settings: "retry_attempts = 0", listenerPerAccount: true) { proxy in
            try await proxy.simulator.refuseConnections(of: "account_1")
            let start = ContinuousClock.now
            let answer = try await proxy.chat(RunningProxy.body(streams: streams))
            #expect(answer.status == 502 && answer.error("code") == "upstream_unreachable", "\(answer.body)")
            // Far below every limit that a request has.
            #expect(ContinuousClock.now - start < .seconds(30))
        }
    }

    @Test(arguments: [false, true])
    func `A silent upstream times out`(streams: Bool) async throws {
        try await expectError(
            .stall, streams: streams, status: 504, code: "upstream_timeout",
            settings: "request_timeout = 300ms\nkeepalive_interval = 0")
    }

    @Test func `A late head times out`() async throws {
        try await expectError(
            .stall, streams: true, status: 504, code: "upstream_timeout",
            settings: "head_timeout = 200ms\nkeepalive_interval = 0")
    }

    @Test func `A late first event times out`() async throws {
        try await expectError(
            .delayFirstEvent(.seconds(60)), streams: true, status: 504, code: "upstream_timeout",
            settings: "first_token_timeout = 200ms\nkeepalive_interval = 0")
    }

    @Test func `An answer over the limit is refused`() async throws {
        try await expectError(
            .huge(bytes: 200_000), streams: false, status: 502, code: "response_too_large",
            settings: "max_response_size = 100000")
    }

    @Test(arguments: [
        (Fault.Action.cut(afterEvents: 2), "upstream_connection_lost"),
        (.resetMidway(afterEvents: 2), "upstream_connection_lost"),
        (.silentEnd(afterEvents: 2), "upstream_stream_incomplete"), (.errorEvent(afterEvents: 2), "upstream_error"),
        (.stallMidway(afterEvents: 2), "upstream_timeout"),
    ])
    func `A failure in mid stream is an event and never a done`(fault: (action: Fault.Action, code: String))
        async throws
    {
        try await RunningProxy.run(settings: "stream_timeout = 300ms") { proxy in
            proxy.simulator.add(Fault(fault.action, kind: .chat))
            let answer = try await proxy.chat(RunningProxy.body("one two three four", streams: true))
            #expect(answer.status == 200)
            #expect(!answer.text.isEmpty)
            let last = try #require(answer.events.last)
            let error =
                ((try JSONSerialization.jsonObject(with: Data(last.utf8))) as? [String: Any])?["error"]
                as? [String: Any]
            #expect(error?["code"] as? String == fault.code, "\(last)")
            #expect(error?["message"] is String)
            #expect(!answer.body.contains("[DONE]"))
        }
    }

    /// Neither the client's next request nor the permit waits for the end of a body whose last event has been sent.
    @Test func `A body that stays open holds nobody up`() async throws {
        try await RunningProxy.run(accounts: 1, accountSettings: [1: "max_concurrency = 1"]) { proxy in
            proxy.simulator.add(Fault(.keepOpen, kind: .chat, times: nil))
            let connection = try await proxy.connect()
            defer { connection.close() }
            var times: [Duration] = []
            // The best of some: the limit is about the proxy, not about what else this machine is doing.
            for _ in 0..<6 {
                let start = ContinuousClock.now
                connection.send(proxy.chatRequest(RunningProxy.body(streams: true)))
                let answer = try await connection.answer()
                #expect(answer.status == 200 && answer.events.last == "[DONE]", "\(answer.body)")
                times.append(ContinuousClock.now - start)
            }
            #expect(try #require(times.dropFirst().min()) < .milliseconds(200), "\(times)")
        }
    }

    @Test(arguments: [Fault.Action.brokenEvent(afterEvents: 1), .noDone, .keepOpen])
    func `An answer that is whole all the same is whole`(action: Fault.Action) async throws {
        try await RunningProxy.run { proxy in
            proxy.simulator.add(Fault(action, kind: .chat))
            let answer = try await proxy.chat(RunningProxy.body("one two three four", streams: true))
            #expect(answer.events.last == "[DONE]", "\(answer.body)")
            #expect(answer.text.contains("four"))
        }
    }

    @Test func `A connection serves on after a failure`() async throws {
        try await RunningProxy.run { proxy in
            proxy.simulator.add(Fault(.cut(afterEvents: 2), kind: .chat))
            let connection = try await proxy.connect()
            defer { connection.close() }
            connection.send(proxy.chatRequest(RunningProxy.body(streams: true)))
            #expect(try await !connection.answer().body.contains("[DONE]"))
            connection.send(proxy.chatRequest(RunningProxy.body(streams: true)))
            #expect(try await connection.answer().events.last == "[DONE]")
        }
    }

    @Test func `Silence is bridged until the first event and between events`() async throws {
        try await RunningProxy.run(
            settings: "keepalive_interval = 100ms", pacing: Pacing(firstDelay: .milliseconds(450))
        ) { proxy in
            let answer = try await proxy.chat(RunningProxy.body(streams: true))
            #expect(answer.body.hasPrefix(": keep-alive\n\n"))
            #expect(answer.body.components(separatedBy: ": keep-alive\n\n").count >= 3)
            #expect(answer.events.last == "[DONE]")
        }
    }

    @Test func `A failure after the headers is an event`() async throws {
        try await RunningProxy.run(settings: "keepalive_interval = 100ms\nretry_attempts = 0") { proxy in
            proxy.simulator.add(Fault(.delay(.milliseconds(350)), kind: .chat))
            proxy.simulator.add(Fault(.status(500), kind: .chat))
            let answer = try await proxy.chat(RunningProxy.body(streams: true))
            #expect(answer.status == 200)
            #expect(answer.events.last?.contains(#""error""#) == true && !answer.body.contains("[DONE]"))
        }
    }
}
