import Foundation
import OCISimulator
import Testing

/// Permits and the line of those who wait for one.
@Suite struct ConcurrencyTests {
    @Test func `No limit is exceeded while all answers are held back`() async throws {
        try await RunningProxy.run(accounts: 3, maxConcurrency: 4, settings: "global_max_concurrency = 10") { proxy in
            proxy.simulator.add(Fault(.stall, kind: .chat, times: nil))
            let request = proxy.chatRequest(RunningProxy.body())
            var clients: [RawConnection] = []
            for _ in 0..<60 {
                let client = try await proxy.connect()
                client.send(request)
                clients.append(client)
            }
            try await eventually("a line of 50") { try await proxy.stats("queue")["depth"] == 50 }
            try await eventually("ten requests at the accounts") { proxy.simulator.statistics.all.inFlight == 10 }
            #expect(proxy.chats.count == 10)
            for (account, counts) in proxy.simulator.statistics.accounts { #expect(counts.inFlight <= 4, "\(account)") }
            #expect(
                try await proxy.stats("concurrency")["global"] == [
                    "max": 10, "in_flight": 10, "available": 0, "peak": 10,
                ])
            for client in clients { client.close() }
            try await eventually("no permit in use") { try await proxy.isIdle() }
        }
    }

    @Test(arguments: [true, false])
    func `No limit is exceeded while permits change hands`(keepsConnections: Bool) async throws {
        let pacing = Pacing(events: 4, text: "tick ", interval: .milliseconds(5))
        try await RunningProxy.run(
            accounts: 3, settings: "global_max_concurrency = 10",
            accountSettings: [1: "max_concurrency = 2", 2: "max_concurrency = 7"], pacing: pacing
        ) { proxy in
            let load = Load(
                count: 300, concurrency: 60, keepsConnections: keepsConnections, answer: "tick tick tick tick ")
            let tally = try await load.run(against: proxy)
            #expect(tally.whole == 300, "\(tally.flaws)")
            // The simulator counts an answer until a moment after its last byte has left, when the next may have come on another
            // of its threads already. The proxy knows better.
            let slack = ProcessInfo.processInfo.activeProcessorCount - 1
            let seen = proxy.simulator.statistics
            #expect(seen.all.peakInFlight <= 10 + slack)
            #expect(try #require(seen.accounts["account_1"]).peakInFlight <= 2 + slack)
            #expect(try #require(seen.accounts["account_2"]).peakInFlight <= 7 + slack)
            #expect(try await proxy.stats("concurrency")["global"]?["peak"] == 10)
            let accounts = try await proxy.accounts(on: "concurrency")
            #expect(accounts["account_1"]?["max"] == 2 && accounts["account_1"]?["peak"] == 2)
            #expect(try #require(accounts["account_2"]?["peak"]?.integer) <= 7)
            try await eventually("no permit in use") { try await proxy.isIdle() }
        }
    }

    @Test func `Who came first is served first`() async throws {
        try await RunningProxy.run(accounts: 2, settings: "global_max_concurrency = 1") { proxy in
            let stream = try await proxy.openStream()
            var clients: [RawConnection] = []
            for number in 1...8 {
                let client = try await proxy.connect()
                client.send(proxy.chatRequest(RunningProxy.body("waiter \(number)", streams: number.isMultiple(of: 2))))
                clients.append(client)
                try await eventually("a line of \(number)") {
                    try await proxy.stats("queue")["depth"] == .integer(number)
                }
            }
            stream.close()
            for client in clients { #expect(try await client.answer().status == 200) }
            let order = proxy.chats.dropFirst().map {
                String(decoding: $0.body, as: UTF8.self).firstMatch(of: /waiter (\d)/).map { String($0.1) }
            }
            #expect(order == (1...8).map { "\($0)" })
            for client in clients { client.close() }
            let queue = try await proxy.stats("queue")
            #expect(queue["peak"] == 8 && queue["enqueued_total"] == 8 && queue["wait_ms"]?["count"] == 8)
        }
    }

    /// Two accounts with one permit each are busy. Whoever waits, waits for both, and holds nothing meanwhile.
    @Test func `A waiter takes whichever account is free first`() async throws {
        try await RunningProxy.run(accounts: 2, maxConcurrency: 1, settings: "global_max_concurrency = 10") { proxy in
            let first = try await proxy.openStream(of: "account_1")
            let second = try await proxy.openStream(of: "account_2")
            #expect(proxy.accountsAsked == ["account_1", "account_2"])
            var waiters: [RawConnection] = []
            for number in 1...3 {
                let waiter = try await proxy.connect()
                waiter.send(proxy.chatRequest(RunningProxy.body()))
                waiters.append(waiter)
                try await eventually("a line of \(number)") {
                    try await proxy.stats("queue")["depth"] == .integer(number)
                }
            }
            #expect(try await proxy.stats("concurrency")["global"]?["in_flight"] == 2)
            second.close()
            for waiter in waiters {
                #expect(try await waiter.answer().status == 200)
                waiter.close()
            }
            #expect(proxy.accountsAsked.dropFirst(2).allSatisfy { $0 == "account_2" })
            first.close()
        }
    }

    /// A stop ends the taking of new requests, not the serving of those that are there.
    @Test func `Who waits when the proxy is told to stop is still served`() async throws {
        let pacing = Pacing(events: 5, text: "tick ", interval: .milliseconds(20), firstDelay: .milliseconds(600))
        try await RunningProxy.run(accounts: 2, settings: "global_max_concurrency = 1", pacing: pacing) { proxy in
            var clients: [RawConnection] = []
            defer { for client in clients { client.close() } }
            for number in 0..<4 {
                let client = try await proxy.connect()
                client.send(proxy.chatRequest(RunningProxy.body(streams: true)))
                clients.append(client)
                if number == 0 { _ = try await proxy.simulator.request { $0.kind == .chat } }
                try await eventually("\(number) who wait") {
                    try await proxy.stats("queue")["enqueued_total"] == .integer(number)
                }
            }
            proxy.terminate()
            for client in clients {
                #expect(try await client.answer().flaw(String(repeating: "tick ", count: 5), streams: true) == nil)
            }
        }
    }

    @Test func `Who finds the line full is sent away at once`() async throws {
        try await RunningProxy.run(
            accounts: 2, settings: "global_max_concurrency = 1\nqueue_size = 2\nrequest_timeout = 20s"
        ) { proxy in
            let stream = try await proxy.openStream()
            var waiters: [RawConnection] = []
            for number in 1...2 {
                let waiter = try await proxy.connect()
                waiter.send(proxy.chatRequest(RunningProxy.body()))
                waiters.append(waiter)
                try await eventually("a line of \(number)") {
                    try await proxy.stats("queue")["depth"] == .integer(number)
                }
            }
            for streams in [false, true] {
                let refused = try await proxy.chat(RunningProxy.body(streams: streams))
                expectOverload(refused, code: "queue_full")
            }
            #expect(try await proxy.stats("queue")["rejected_total"] == 2)
            stream.close()
            for waiter in waiters {
                #expect(try await waiter.answer().status == 200)
                waiter.close()
            }
        }
    }

    @Test(arguments: [false, true])
    func `Who waits too long is told so`(streams: Bool) async throws {
        try await RunningProxy.run(accounts: 2, settings: "global_max_concurrency = 1\nrequest_timeout = 400ms") {
            proxy in
            let stream = try await proxy.openStream()
            defer { stream.close() }
            let start = ContinuousClock.now
            expectOverload(try await proxy.chat(RunningProxy.body(streams: streams)), code: "queue_timeout")
            #expect(ContinuousClock.now - start > .milliseconds(350))
            let queue = try await proxy.stats("queue")
            #expect(queue["timed_out_total"] == 1 && queue["depth"] == 0)
            #expect(proxy.chats.count == 1, "it never reached an account")
        }
    }

    /// The client of a stream is kept from giving up while it waits; once it has the headers, bad news is an event.
    @Test(arguments: [true, false])
    func `The line is bridged as any silence is`(isServed: Bool) async throws {
        let timeout = isServed ? "20s" : "600ms"
        try await RunningProxy.run(
            accounts: 2,
            settings: "global_max_concurrency = 1\nkeepalive_interval = 100ms\nrequest_timeout = \(timeout)"
        ) { proxy in
            let stream = try await proxy.openStream()
            let waiter = try await proxy.connect()
            defer { waiter.close() }
            waiter.send(proxy.chatRequest(RunningProxy.body("one two three", streams: true)))
            try await waiter.received(": keep-alive", times: 2)
            if isServed { stream.close() }
            let answer = try await waiter.answer()
            if isServed {
                #expect(answer.flaw(RunningProxy.echo("one two three"), streams: true) == nil, "\(answer.body)")
            } else {
                #expect(
                    answer.status == 200 && answer.events.last?.contains("queue_timeout") == true
                        && !answer.body.contains("[DONE]"), "\(answer.body)")
            }
            stream.close()
        }
    }

    private func expectOverload(_ answer: RawAnswer, code: String, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(
            answer.status == 503 && answer.error("type") == "overloaded_error" && answer.error("code") == code,
            "\(answer.body)", sourceLocation: sourceLocation)
        #expect(
            answer.headers["retry-after"].flatMap { Int($0) } ?? 0 >= 1, "\(answer.headers)",
            sourceLocation: sourceLocation)
    }

    @Test(arguments: [false, true], DisconnectTests.Leaving.allCases)
    func `A waiter that leaves is gone at once`(streams: Bool, leaving: DisconnectTests.Leaving) async throws {
        try await RunningProxy.run(accounts: 2, settings: "global_max_concurrency = 1") { proxy in
            let stream = try await proxy.openStream()
            let waiter = try await proxy.connect()
            waiter.send(proxy.chatRequest(RunningProxy.body(streams: streams)))
            try await eventually("a line of one") { try await proxy.stats("queue")["depth"] == 1 }
            defer { waiter.close() }
            switch leaving {
            case .close: waiter.close()
            case .finishSending: waiter.finishSending()
            }
            try await eventually("an empty line", within: .seconds(5)) { try await proxy.stats("queue")["depth"] == 0 }
            #expect(try await proxy.stats("queue")["cancelled_total"] == 1)
            stream.close()
            try await eventually("no permit in use") { try await proxy.isIdle() }
            #expect(proxy.chats.count == 1, "it never reached an account")
            #expect(try await proxy.chat(RunningProxy.body()).status == 200)
        }
    }

    /// Clients leave at every point of the way to their answer: in the line, at the upstream, in the middle of a stream.
    @Test func `Whoever leaves takes its permits along`() async throws {
        let pacing = Pacing(events: 5, text: "tick ", interval: .milliseconds(10))
        try await RunningProxy.run(
            accounts: 3, maxConcurrency: 2, settings: "global_max_concurrency = 5", pacing: pacing
        ) { proxy in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<120 {
                    group.addTask {
                        let client = try await proxy.connect()
                        defer { client.close() }
                        client.send(proxy.chatRequest(RunningProxy.body(streams: !number.isMultiple(of: 3))))
                        if number.isMultiple(of: 4) {
                            #expect(try await client.answer().status == 200)
                        } else {
                            try await Task.sleep(for: .milliseconds(number))
                        }
                    }
                }
                try await group.waitForAll()
            }
            try await eventually("no permit in use") { try await proxy.isIdle() }
            try await eventually("no request at an account") { proxy.simulator.statistics.all.inFlight == 0 }
            for (id, account) in try await proxy.accounts() {
                let ended = ["requests_succeeded", "requests_failed", "cancelled_total"].compactMap {
                    account[$0]?.integer
                }
                #expect(ended.count == 3 && account["requests_total"]?.integer == ended.reduce(0, +), "\(id)")
                #expect(account["requests_failed"] == 0, "a client that leaves is no failure")
            }
            let tally = try await Load(count: 20, concurrency: 20, answer: "tick tick tick tick tick ").run(
                against: proxy)
            #expect(tally.whole == 20, "\(tally.flaws)")
        }
    }
}
