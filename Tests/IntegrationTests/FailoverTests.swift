import Foundation
import OCISimulator
import Testing

/// What goes wrong at one account is made good by another, as long as nothing has reached the client.
@Suite struct FailoverTests {
    private static let elsewhere: [Fault.Action] = [
        .status(500), .status(503), .status(429), .status(401), .status(403), .status(404), .reset, .close, .empty,
        .gatewayTimeoutPage,
    ]

    /// The request that `account_1` failed is answered by `account_2`.
    private func expectAnswerFromTheSecond(
        _ proxy: RunningProxy, streams: Bool, asked: [String] = ["account_1", "account_2"]
    ) async throws {
        let answer = try await proxy.chat(RunningProxy.body("one two three", streams: streams))
        #expect(answer.flaw(RunningProxy.echo("one two three"), streams: streams) == nil)
        #expect(proxy.accountsAsked.withoutRepeats == asked)
        let line = try await proxy.accessLine(of: answer)
        #expect(
            line.contains("attempts=2") && line.contains("account=account_2") && line.contains("status=200"), "\(line)")
        #expect(try await proxy.figure("requests_failed", of: "account_1") == 1)
        #expect(try await proxy.figure("requests_succeeded", of: "account_2") == 1)
    }

    @Test(arguments: elsewhere, [false, true])
    func `Another account answers at once`(action: Fault.Action, streams: Bool) async throws {
        // The first pause would take 125 ms or more. Another program can hold this one up for as long, but hardly each time.
        var moves: [Duration] = []
        while moves.count < 5, !moves.contains(where: { $0 < .milliseconds(100) }) {
            let moved = try await timeToTheSecond(after: action, streams: streams)
            moves.append(moved)
        }
        #expect(moves.contains { $0 < .milliseconds(100) }, "without a pause: \(moves)")
    }

    private func timeToTheSecond(after action: Fault.Action, streams: Bool) async throws -> Duration {
        var moved = Duration.zero
        try await RunningProxy.run(accounts: 2) { proxy in
            proxy.simulator.add(Fault(action, account: "account_1", kind: .chat, times: nil))
            try await expectAnswerFromTheSecond(proxy, streams: streams)
            // On the connection that a health check has left, the end of the connection is met once more.
            let attempts = Array(proxy.chats.suffix(2))
            try #require(attempts.map(\.account) == ["account_1", "account_2"])
            moved = attempts[1].arrived - (try #require(attempts[0].ended))
        }
        return moved
    }

    @Test(arguments: [false, true])
    func `Another account answers when the first refuses connections`(streams: Bool) async throws {
        try await RunningProxy.run(accounts: 2, listenerPerAccount: true) { proxy in
            try await proxy.simulator.refuseConnections(of: "account_1")
            try await expectAnswerFromTheSecond(proxy, streams: streams, asked: ["account_2"])
        }
    }

    @Test(arguments: [Fault.Action.delayFirstEvent(.seconds(60)), .stall, .stallMidway(afterEvents: 0)])
    func `Another account answers when the first event is late`(action: Fault.Action) async throws {
        try await RunningProxy.run(accounts: 2, settings: "first_token_timeout = 1s") { proxy in
            proxy.simulator.add(Fault(action, account: "account_1", kind: .chat, times: nil))
            try await expectAnswerFromTheSecond(proxy, streams: true)
        }
    }

    @Test func `Another account answers when the head is late`() async throws {
        try await RunningProxy.run(accounts: 2, settings: "head_timeout = 1s") { proxy in
            proxy.simulator.add(Fault(.stall, account: "account_1", kind: .chat, times: nil))
            try await expectAnswerFromTheSecond(proxy, streams: true)
        }
    }

    @Test(arguments: [
        Fault.Action.cut(afterEvents: 0), .resetMidway(afterEvents: 0), .errorEvent(afterEvents: 0),
        .silentEnd(afterEvents: 0),
    ])
    func `Another account answers when the stream breaks before its first event`(action: Fault.Action) async throws {
        try await RunningProxy.run(accounts: 2) { proxy in
            proxy.simulator.add(Fault(action, account: "account_1", kind: .chat))
            try await expectAnswerFromTheSecond(proxy, streams: true)
        }
    }

    @Test(arguments: [Fault.Action.cut(afterEvents: 0), .brokenEvent(afterEvents: 0)])
    func `Another account answers when a whole answer arrives in part`(action: Fault.Action) async throws {
        try await RunningProxy.run(accounts: 2) { proxy in
            proxy.simulator.add(Fault(action, account: "account_1", kind: .chat))
            try await expectAnswerFromTheSecond(proxy, streams: false)
        }
    }

    /// Once the client has been kept waiting, the headers are out; the answer still comes from elsewhere.
    @Test func `Failover goes on after the headers are out`() async throws {
        try await RunningProxy.run(accounts: 2, settings: "keepalive_interval = 100ms") { proxy in
            proxy.simulator.add(Fault(.delay(.milliseconds(350)), account: "account_1", kind: .chat))
            proxy.simulator.add(Fault(.status(500), account: "account_1", kind: .chat))
            let answer = try await proxy.chat(RunningProxy.body("one two three", streams: true))
            #expect(answer.body.hasPrefix(": keep-alive\n\n"))
            #expect(answer.text == RunningProxy.echo("one two three") && answer.events.last == "[DONE]")
            #expect(proxy.accountsAsked == ["account_1", "account_2"])
        }
    }

    @Test(arguments: [400, 413, 422], [false, true])
    func `What is the request's own fault is not tried elsewhere`(status: Int, streams: Bool) async throws {
        try await RunningProxy.run(accounts: 3) { proxy in
            proxy.simulator.add(Fault(.status(status), kind: .chat, times: nil))
            let answer = try await proxy.chat(RunningProxy.body(streams: streams))
            #expect(answer.status == status && answer.error("type") == "invalid_request_error", "\(answer.body)")
            #expect(proxy.chats.count == 1)
            #expect(try await proxy.figure("consecutive_failures", of: "account_1") == 0)
        }
    }

    @Test(arguments: [
        Fault.Action.cut(afterEvents: 2), .resetMidway(afterEvents: 2), .silentEnd(afterEvents: 2),
        .errorEvent(afterEvents: 2), .stallMidway(afterEvents: 2),
    ])
    func `A stream that breaks after its first event is not repeated`(action: Fault.Action) async throws {
        try await RunningProxy.run(accounts: 3, settings: "stream_timeout = 300ms\nrescue = off") { proxy in
            proxy.simulator.add(Fault(action, kind: .chat, times: nil))
            let answer = try await proxy.chat(RunningProxy.body("one two three four", streams: true))
            #expect(answer.status == 200 && !answer.text.isEmpty)
            #expect(
                answer.events.last?.contains(#""error""#) == true && !answer.body.contains("[DONE]"), "\(answer.body)")
            #expect(proxy.accountsAsked == ["account_1"])
            try await eventually("the books to be closed") { try await proxy.isIdle() }
            let account = try #require(try await proxy.accounts()["account_1"])
            #expect(
                account["requests_total"] == 1 && account["requests_failed"] == 1
                    && account["consecutive_failures"] == 1)
            #expect(account["last_error"]?["message"]?.string?.isEmpty == false)
        }
    }

    @Test(arguments: [(accounts: 5, retries: 2), (accounts: 2, retries: 0)], [false, true])
    func `No more attempts than allowed are made`(limit: (accounts: Int, retries: Int), streams: Bool) async throws {
        try await RunningProxy.run(accounts: limit.accounts, settings: "retry_attempts = \(limit.retries)") { proxy in
            proxy.simulator.add(Fault(.status(500), kind: .chat, times: nil))
            let answer = try await proxy.chat(RunningProxy.body(streams: streams))
            #expect(answer.status == 502, "\(answer.body)")
            #expect(proxy.chats.count == limit.retries + 1 && Set(proxy.accountsAsked).count == limit.retries + 1)
            #expect(try await proxy.accessLine(of: answer).contains("attempts=\(limit.retries + 1)"))
        }
    }

    /// With nobody else left, the same accounts are asked again after a pause.
    @Test func `A short failure of all accounts is outlasted`() async throws {
        try await RunningProxy.run(accounts: 2) { proxy in
            proxy.simulator.add(Fault(.status(500), kind: .chat, times: 2))
            let answer = try await proxy.chat(RunningProxy.body("one two three"))
            #expect(answer.flaw(RunningProxy.echo("one two three"), streams: false) == nil)
            let attempts = proxy.chats
            try #require(attempts.count == 3)
            #expect(Set(attempts.prefix(2).compactMap(\.account)).count == 2)
            #expect(attempts[2].arrived - attempts[1].arrived > .milliseconds(150))
        }
    }

    /// The only account that is left has no permit free at the moment.
    @Test(arguments: [false, true])
    func `An account that is full is waited for`(streams: Bool) async throws {
        try await RunningProxy.run(accounts: 2, maxConcurrency: 1) { proxy in
            let stream = try await proxy.openStream(of: "account_1")
            proxy.simulator.add(Fault(.status(500), account: "account_2", kind: .chat))
            let client = try await proxy.connect()
            defer { client.close() }
            client.send(proxy.chatRequest(RunningProxy.body("one two three", streams: streams)))
            try await eventually("a line of one") { try await proxy.stats("queue")["depth"] == 1 }
            #expect(try await proxy.figure("in_flight", of: "account_2") == 0)
            stream.close()
            let answer = try await client.answer()
            #expect(answer.flaw(RunningProxy.echo("one two three"), streams: streams) == nil, "\(answer.body)")
            #expect(proxy.accountsAsked == ["account_1", "account_2", "account_1"])
        }
    }

    @Test(arguments: [false, true])
    func `A short throttle is waited out`(streams: Bool) async throws {
        try await RunningProxy.run(accounts: 1) { proxy in
            proxy.simulator.add(Fault(.status(429, retryAfter: 1), kind: .chat))
            let answer = try await proxy.chat(RunningProxy.body("one two three", streams: streams))
            #expect(answer.flaw(RunningProxy.echo("one two three"), streams: streams) == nil, "\(answer.body)")
            let attempts = proxy.chats
            try #require(attempts.count == 2)
            #expect(attempts[1].arrived - attempts[0].arrived > .milliseconds(900))
        }
    }

    @Test func `A client that leaves during the pause ends it`() async throws {
        try await RunningProxy.run(accounts: 2) { proxy in
            proxy.simulator.add(Fault(.status(429, retryAfter: 5), kind: .chat, times: 2))
            let client = try await proxy.connect()
            client.send(proxy.chatRequest(RunningProxy.body()))
            try await eventually("two attempts, and the pause after them") {
                let accounts = try await proxy.accounts()
                return accounts.values.allSatisfy { $0["rate_limited_total"] == 1 }
            }
            #expect(try await proxy.isIdle(), "a pause holds no permit")
            client.close()
            try await eventually("the end of the request", within: .seconds(3)) { proxy.log.contains("status=499") }
            #expect(proxy.chats.count == 2)
        }
    }

    /// The first attempt leaves too little time for the second.
    @Test(arguments: [false, true])
    func `All attempts together have the time of one request`(streams: Bool) async throws {
        try await RunningProxy.run(accounts: 2, settings: "request_timeout = 8s") { proxy in
            proxy.simulator.add(Fault(.delay(.milliseconds(4500)), kind: .chat, times: nil))
            proxy.simulator.add(Fault(.status(500), account: "account_1", kind: .chat, times: nil))
            let start = ContinuousClock.now
            let answer = try await proxy.chat(RunningProxy.body(streams: streams))
            #expect(answer.status == 504 && answer.error("code") == "upstream_timeout", "\(answer.body)")
            #expect(ContinuousClock.now - start > .milliseconds(7900))
            try #require(proxy.accountsAsked == ["account_1", "account_2"])
            let cancelled = try await proxy.simulator.ended(proxy.chats[1].id)
            #expect(cancelled.ending == .clientClosed)
        }
    }

    /// It would take the whole time of the request: the first attempt has had all there was.
    @Test func `Who has timed out is not asked again`() async throws {
        try await RunningProxy.run(accounts: 2, settings: "first_token_timeout = 200ms") { proxy in
            proxy.simulator.add(Fault(.stall, kind: .chat, times: nil))
            let answer = try await proxy.chat(RunningProxy.body(streams: true))
            #expect(answer.status == 504 && answer.error("code") == "upstream_timeout", "\(answer.body)")
            #expect(proxy.accountsAsked == ["account_1", "account_2"])
        }
    }

    /// One tenancy has one limit in each region, whichever of its accounts asks.
    @Test func `After too many requests the next is one of another tenancy or region`() async throws {
        let regions = ["us-chicago-1", "us-chicago-1", "us-ashburn-1"]
        try await RunningProxy.run(accounts: 3, regions: regions, sharedTenancy: true) { proxy in
            proxy.simulator.add(Fault(.status(429), account: "account_1", kind: .chat, times: nil))
            let answer = try await proxy.chat(RunningProxy.body())
            #expect(answer.status == 200, "\(answer.body)")
            #expect(proxy.accountsAsked == ["account_1", "account_3"])
        }
    }

    @Test func `Credentials that all accounts are refused are the operator's matter`() async throws {
        try await RunningProxy.run(accounts: 2) { proxy in
            proxy.simulator.add(Fault(.status(401), kind: .chat, times: nil))
            let answer = try await proxy.chat(RunningProxy.body())
            #expect(
                answer.status == 502 && answer.error("code") == "upstream_auth_failed"
                    && answer.headers["x-should-retry"] == "false", "\(answer.body)")
        }
    }
}
