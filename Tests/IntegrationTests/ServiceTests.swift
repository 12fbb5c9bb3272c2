import Foundation
import Testing

/// The process under a service manager: what it tells, and the journal.
@Suite(.timeLimit(.minutes(5))) struct ServiceTests {
    /// Runs a proxy that tells a service manager how it is doing.
    private func run(
        abstract: Bool = false, settings: String = "", environment: [String: String] = [:], prelude: String = ":",
        _ body: (RunningProxy, NotifyInbox) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory.make()
        defer { try? FileManager.default.removeItem(at: directory) }
        let inbox = try NotifyInbox(abstract ? "@ociai-\(UUID().uuidString)" : directory.appending(path: "notify").path)
        try await RunningProxy.run(settings: settings) { config in
            try Program(
                "ociai-proxy", ["-config", config.path],
                environment: environment.merging(["NOTIFY_SOCKET": inbox.name]) { own, _ in own }, prelude: prelude)
        } _: { proxy in
            try await body(proxy, inbox)
        }
    }

    @Test(arguments: [false, true]) func `A life is told to the service manager`(abstract: Bool) async throws {
        try await run(abstract: abstract) { proxy, inbox in
            try await eventually("READY") { inbox.states == ["READY=1"] }
            #expect(try await proxy.get("/health").status == 200, "ready means that it listens")
            try await eventually("a status") {
                inbox.messages.contains {
                    $0.hasPrefix("STATUS=") && $0.hasSuffix("accounts healthy, 0 requests in flight")
                }
            }
            #expect(!inbox.messages.contains("WATCHDOG=1"), "nobody asked for it")

            #expect(try await proxy.reload().status == 200)
            proxy.hangUp()
            try await eventually("two reloads") { inbox.states.count == 5 }
            let reloads = inbox.states.filter { $0.hasPrefix("RELOADING=1\nMONOTONIC_USEC=") }
            #expect(inbox.states == ["READY=1", reloads[0], "READY=1", reloads[1], "READY=1"])
            // The manager compares these with its own clock.
            var clock = timespec()
            clock_gettime(CLOCK_MONOTONIC, &clock)
            let now = UInt64(clock.tv_sec) * 1_000_000
            let moments = reloads.compactMap { $0.split(separator: "=").last.flatMap { UInt64($0) } }
            #expect(
                moments.count == 2 && moments[0] < moments[1]
                    && moments.allSatisfy { $0 + 600_000_000 > now && $0 <= now + 1_000_000 })

            // One that changes nothing ends as well.
            try "port = many\n".write(
                to: proxy.directory.appending(path: "config.conf"), atomically: true, encoding: .utf8)
            #expect(try await proxy.reload().status == 400)
            #expect(inbox.states.count == 7 && inbox.states.last == "READY=1")

            proxy.terminate()
            #expect(await proxy.exitCode() == 0)
            #expect(inbox.states.count == 8 && inbox.states.last == "STOPPING=1")
        }
    }

    @Test func `Signs of life come while the router answers`() async throws {
        try await run(environment: ["WATCHDOG_USEC": "400000"], prelude: "export WATCHDOG_PID=$$") { _, inbox in
            let begin = ContinuousClock.now
            try await eventually("ten signs of life") { inbox.messages.count { $0 == "WATCHDOG=1" } >= 10 }
            // The first is given at once, the others at half of the limit.
            #expect(ContinuousClock.now - begin > .milliseconds(1500))
        }
    }

    /// A service manager, or logrotate, may ask for a reload as soon as it has heard that the process is ready.
    @Test func `A hangup at once is a reload and not the end`() async throws {
        try await run { proxy, inbox in
            while !inbox.states.contains("READY=1") { await Task.yield() }
            proxy.hangUp()
            try await proxy.logged("Configuration reloaded")
            #expect(try await proxy.get("/health").status == 200)
        }
    }

    @Test func `The status says what runs and that it drains`() async throws {
        try await run(settings: "shutdown_grace = 2m") { proxy, inbox in
            let stream = try await proxy.openStream()
            defer { stream.close() }
            try await eventually("the request", within: .seconds(60)) {
                inbox.messages.contains("STATUS=1 of 1 accounts healthy, 1 request in flight")
            }
            proxy.terminate()
            try await eventually("the drain", within: .seconds(60)) {
                inbox.messages.contains("STATUS=Draining, 1 request in flight")
            }
            stream.close()
            #expect(await proxy.exitCode() == 0)
        }
    }

    @Test func `The signs of life of another process are not ours`() async throws {
        try await run(environment: ["WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"]) { proxy, inbox in
            try await eventually("a status") { inbox.messages.contains { $0.hasPrefix("STATUS=") } }
            for _ in 0..<20 { _ = try await proxy.get("/health") }
            #expect(!inbox.messages.contains("WATCHDOG=1"))
        }
    }

    @Test func `Signs of life go on during the drain`() async throws {
        try await run(settings: "shutdown_grace = 1h", environment: ["WATCHDOG_USEC": "200000"]) { proxy, inbox in
            let stream = try await proxy.openStream()
            proxy.terminate()
            try await eventually("STOPPING") { inbox.states.last == "STOPPING=1" }
            let before = inbox.messages.count { $0 == "WATCHDOG=1" }
            try await eventually("more signs of life") { inbox.messages.count { $0 == "WATCHDOG=1" } >= before + 3 }
            stream.close()
            #expect(await proxy.exitCode() == 0)
        }
    }

    // MARK: The journal

    /// Says that standard error leads to the journal.
    private static let journal = #"export JOURNAL_STREAM="$(stat -L -c %d:%i /proc/$$/fd/2)""#

    @Test func `The journal gets priorities and no time`() async throws {
        try await RunningProxy.run { config in
            try Program("ociai-proxy", ["-config", config.path], prelude: Self.journal)
        } _: { proxy in
            try await proxy.logged("<6>Listening on http://127.0.0.1:\(proxy.port)\n")
            _ = try await proxy.chat(RunningProxy.body())
            try await proxy.logged("path=/v1/chat/completions")
            for line in proxy.log.split(separator: "\n") { #expect(line.firstMatch(of: /^<[2-7]>/) != nil, "\(line)") }
        }
    }

    @Test func `Lines of JSON have their priority in front in the journal`() async throws {
        try await RunningProxy.run(settings: "log_format = json") { config in
            try Program("ociai-proxy", ["-config", config.path], prelude: Self.journal)
        } _: { proxy in
            try await proxy.logged(#""message":"Listening on http://127.0.0.1:\#(proxy.port)"}"#)
            for line in await proxy.wholeLog().split(separator: "\n") {
                #expect(line.firstMatch(of: /^<[2-7]>\{"time":/) != nil, "\(line)")
            }
        }
    }

    /// The variable is inherited by whatever a service starts, wherever its output goes.
    @Test func `A journal that is not behind standard error changes nothing`() async throws {
        try await RunningProxy.run { config in
            try Program("ociai-proxy", ["-config", config.path], environment: ["JOURNAL_STREAM": "1:1"])
        } _: { proxy in
            #expect(proxy.log.firstMatch(of: #/(?m)^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d Listening/#) != nil, "\(proxy.log)")
        }
    }
}
