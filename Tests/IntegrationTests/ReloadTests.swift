import Foundation
import OCISimulator
import Synchronization
import Testing

/// Another configuration while the proxy runs.
@Suite struct ReloadTests {
    @Test func `An alias and an account come and go`() async throws {
        try await RunningProxy.run(accounts: 2) { proxy in
            let both = try proxy.configuration()
            #expect(try await proxy.chat(RunningProxy.body(model: "mine")).status == 404)

            try proxy.configure(both.without(section: "ACCOUNT_2") + "\nmine = xai.grok-4\n")
            let answer = try await proxy.reload()
            #expect(answer.status == 200)
            #expect(answer.json?["providers_count"] as? Int == 0 && answer.json?["accounts_count"] as? Int == 1)
            #expect(answer.json?["message"] as? String == "Configuration reloaded.")
            let before = proxy.chats.count
            for _ in 0..<3 { #expect(try await proxy.chat(RunningProxy.body(model: "mine")).status == 200) }
            #expect(proxy.chats.dropFirst(before).allSatisfy { $0.account == "account_1" })
            #expect(try await proxy.accounts().keys.sorted() == ["account_1"])
            #expect(try await proxy.health() == (200, "healthy", 1))

            try await proxy.reconfigure(both)
            #expect(try await proxy.chat(RunningProxy.body(model: "mine")).status == 404, "its alias is gone again")
            for _ in 0..<4 { #expect(try await proxy.chat(RunningProxy.body()).status == 200) }
            #expect(Set(proxy.accountsAsked.suffix(4)) == ["account_1", "account_2"])
            let accounts = try await proxy.accounts()
            #expect(accounts["account_1"]?["requests_total"] == 5, "unchanged, so its figures stay")
            #expect(accounts["account_2"]?["requests_total"] == 2, "it was gone, so they begin anew")
        }
    }

    @Test func `A hangup reloads too`() async throws {
        try await RunningProxy.run(accounts: 1) { proxy in
            try proxy.configure(try proxy.configuration() + "\nmine = xai.grok-4\n")
            proxy.hangUp()
            try await proxy.logged("Configuration reloaded")
            #expect(try await proxy.chat(RunningProxy.body(model: "mine")).status == 200)

            try proxy.configure("[GLOBAL]\nport = many\n")
            proxy.hangUp()
            try await proxy.logged("Reload failed; the current configuration stays in use")
            #expect(proxy.log.contains("multi_config.conf:2: port = many"))
            #expect(try await proxy.chat(RunningProxy.body(model: "mine")).status == 200)
        }
    }

    @Test func `A file that is not valid changes nothing`() async throws {
        try await RunningProxy.run(accounts: 2) { proxy in
            let good = try proxy.configuration()
            let spoiled = [
                (good.replacing("[CIRCUIT_BREAKER]", with: "[CIRCUIT_BREAKER]\nfailure_rate = 7"), "failure_rate = 7"),
                // One account among several is enough: at a start the others would serve, but here everything serves already.
                (good.replacing("key_file = account_2.pem", with: "key_file = nowhere.pem"), "nowhere.pem"),
                (good.replacing("[GLOBAL]", with: "[GLOBAL]\nca_file = account_1.pem"), "ca_file"),
                (good.replacing("[GLOBAL]", with: "[GLOBAL]\nlog_file = nowhere/at/all.log"), "nowhere/at/all.log"),
            ]
            for (text, culprit) in spoiled {
                try proxy.configure(text + "\nmine = xai.grok-4\n")
                let answer = try await proxy.reload()
                #expect(answer.status == 400 && answer.error("code") == "invalid_configuration", "\(answer.body)")
                #expect(
                    answer.error("message")?.contains(culprit) == true
                        && answer.error("message")?.contains("multi_config.conf") == true, "\(answer.body)")
                #expect(try await proxy.chat(RunningProxy.body(model: "mine")).status == 404)
            }
            try FileManager.default.removeItem(at: proxy.config)
            #expect(try await proxy.reload().status == 400)
            #expect(try await proxy.accounts().count == 2)
            #expect(try await proxy.chat(RunningProxy.body()).status == 200)
        }
    }

    @Test func `An account that was broken before is no reason to refuse a reload`() async throws {
        try await RunningProxy.run(accounts: 3, brokenKeys: [2]) { proxy in
            try await proxy.reconfigure(try proxy.configuration() + "\nmine = xai.grok-4\n")
            #expect(try await proxy.chat(RunningProxy.body(model: "mine")).status == 200)
            // And when it is mended, it serves.
            let pem = try #require(proxy.simulator.accounts[1].privateKeyPEM)
            try RunningProxy.writeKey(pem, to: proxy.directory.appending(path: "account_2.pem"))
            #expect(try await proxy.reload().status == 200)
            for _ in 0..<3 { _ = try await proxy.chat(RunningProxy.body()) }
            #expect(Set(proxy.accountsAsked.suffix(3)) == ["account_1", "account_2", "account_3"])
        }
    }

    @Test func `What needs a restart is said`() async throws {
        try await RunningProxy.run(accounts: 1) { proxy in
            try proxy.configure(try proxy.configuration().replacing("port = 0", with: "port = 1\nhost = localhost"))
            let answer = try await proxy.reload()
            #expect(answer.status == 200)
            #expect(
                (answer.json?["message"] as? String)?.hasSuffix(
                    "host, port changed: restart the proxy to apply the change.")
                    == true, "\(answer.body)")
            try await proxy.logged("host, port changed: restart the proxy to apply the change")
        }
    }

    @Test func `Client keys and sizes are those of the moment`() async throws {
        try await RunningProxy.run(accounts: 1) { proxy in
            let connection = try await proxy.connect()
            defer { connection.close() }
            connection.send(proxy.chatRequest(RunningProxy.body()))
            #expect(try await connection.answer().status == 200)

            try await proxy.reconfigure(
                try proxy.configuration().replacing("port = 0", with: "port = 0\nmax_request_size = 200"))
            let long = String(repeating: "long ", count: 100)
            // A connection of before obeys as well.
            connection.send(proxy.chatRequest(RunningProxy.body(long)))
            #expect(try await connection.answer().status == 413)

            try await proxy.reconfigure(
                try proxy.configuration().replacing("max_request_size = 200", with: "").replacing(
                    RunningProxy.key, with: "another-key-0123"))
            #expect(try await proxy.chat(RunningProxy.body(long)).status == 401)
            let body = RunningProxy.body(long)
            let answer = try await proxy.send(
                "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nx-api-key: another-key-0123\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
            )
            #expect(answer.status == 200)
        }
    }

    @Test func `A limit that is raised lets those begin who wait`() async throws {
        try await RunningProxy.run(settings: "global_max_concurrency = 1\nmax_concurrency = 1") { proxy in
            let stream = try await proxy.openStream()
            let waiting = try await proxy.connect()
            defer { for connection in [stream, waiting] { connection.close() } }
            waiting.send(proxy.chatRequest(RunningProxy.body("patience")))
            try await eventually("one to wait") { try await proxy.stats("queue")["depth"] == 1 }
            let file = proxy.directory.appending(path: "config.conf")
            let text = try String(contentsOf: file, encoding: .utf8).replacing(
                "max_concurrency = 1", with: "max_concurrency = 5")
            try text.write(to: file, atomically: true, encoding: .utf8)
            #expect(try await proxy.reload().status == 200)
            #expect(try await waiting.answer().status == 200)
        }
    }

    @Test func `A reload is no business of strangers`() async throws {
        try await RunningProxy.run(accounts: 1) { proxy in
            let local = try await proxy.send("POST /v1/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
            #expect(local.status == 200, "the operator on this machine")
            let strange =
                "POST /v1/reload HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 192.0.2.1\r\nContent-Length: 0\r\n\r\n"
            let refusal = try await proxy.send(strange)
            #expect(refusal.status == 401)
            let wrongMethod = try await proxy.get("/v1/reload")
            #expect(wrongMethod.status == 405)
        }
    }

    @Test func `A running request ends where it began`() async throws {
        let pacing = Pacing(events: 10, text: "tick ", interval: .milliseconds(100))
        try await RunningProxy.run(accounts: 2, pacing: pacing) { proxy in
            let stream = try await proxy.connect()
            defer { stream.close() }
            stream.send(proxy.chatRequest(RunningProxy.body(streams: true)))
            try await stream.received("tick")
            try #require(proxy.accountsAsked == ["account_1"])
            try await proxy.reconfigure(try proxy.configuration().without(section: "ACCOUNT_1"))
            #expect(try await proxy.accounts().keys.sorted() == ["account_2"])
            let answer = try await stream.answer()
            #expect(answer.flaw(String(repeating: "tick ", count: 10), streams: true) == nil)
        }
    }

    @Test func `The log moves with its file and its level`() async throws {
        try await RunningProxy.run(accounts: 1) { proxy in
            let file = proxy.directory.appending(path: "proxy.log")
            func lines() -> String { (try? String(contentsOf: file, encoding: .utf8)) ?? "" }
            let logged = try proxy.configuration().replacing(
                "port = 0", with: "port = 0\nlog_file = proxy.log\nlog_format = json")
            try await proxy.reconfigure(logged)
            _ = try await proxy.chat(RunningProxy.body("first"))
            try await eventually("a line in the file") { lines().contains("\"path\":\"/v1/chat/completions\"") }

            // As logrotate does it.
            try FileManager.default.moveItem(at: file, to: proxy.directory.appending(path: "proxy.log.1"))
            #expect(try await proxy.reload().status == 200)
            _ = try await proxy.chat(RunningProxy.body("second"))
            try await eventually("a line in the new file") { lines().contains("\"path\":\"/v1/chat/completions\"") }

            try await proxy.reconfigure(logged.replacing("port = 0", with: "port = 0\nlog_level = error"))
            let size = lines().count
            _ = try await proxy.chat(RunningProxy.body("third"))
            _ = try await proxy.get("/health")
            #expect(lines().count == size)
        }
    }

    /// 200 streams at a time, and a new configuration again and again: one account comes and goes, another changes its share.
    @Test func `A thousand reloads under load are noticed by nobody`() async throws {
        try FileLimit.raise(to: 4500)
        let pacing = Pacing(events: 4, text: "tick ", interval: .seconds(3))
        let settings = "global_max_concurrency = 1000\nhealth_check_interval = 1h"
        try await RunningProxy.run(accounts: 3, maxConcurrency: 300, settings: settings, pacing: pacing, isAlone: true)
        { proxy in
            let all = try proxy.configuration()
            let configurations =
                [
                    all, all.replacing("max_concurrency = 300", with: "max_concurrency = 250\nweight = 7"),
                    all + "\nmine = xai.grok-4\n",
                ].flatMap { Array(repeating: $0, count: 4) } + [all.without(section: "ACCOUNT_3")]
            let streams = EndlessStreams(at: proxy, text: "tick tick tick tick ")
            let tally = try await withThrowingTaskGroup(of: Load.Tally.self) { group in
                for _ in 0..<200 { group.addTask { try await streams.work() } }
                // Also when that fails: the group waits for them.
                defer { streams.end() }
                let flaws = try await reloads(1000, of: configurations, at: proxy)
                streams.end()
                return try await group.reduce(into: Load.Tally(flaws: flaws)) { sum, part in
                    sum.whole += part.whole
                    sum.flaws += part.flaws
                }
            }
            #expect(tally.whole >= 200)
            #expect(tally.flaws.isEmpty, "\(tally.flaws.prefix(5))")
            try await eventually("no permit in use") { try await proxy.isIdle() }
            let accounts = try await proxy.accounts()
            for id in ["account_1", "account_2"] {
                #expect(accounts[id]?["requests_failed"] == 0 && accounts[id]?["circuit_breaker"] == "closed")
            }
        }
    }
    /// One configuration after the other, once 200 streams are open. The accounts that are in all of them must remember what they did.
    private func reloads(_ count: Int, of configurations: [String], at proxy: RunningProxy) async throws -> [String] {
        try await eventually("200 open streams") {
            try await proxy.stats("concurrency")["global"]?["peak"]?.integer == 200
        }
        var seen: [String: Int] = [:]
        var flaws: [String] = []
        for number in 0..<count {
            try proxy.configure(configurations[number % configurations.count])
            let answer = try await proxy.reload()
            if answer.status != 200 { flaws.append(answer.body) }
            guard number.isMultiple(of: 50) else { continue }
            let accounts = try await proxy.accounts()
            for id in ["account_1", "account_2"] {
                let total = accounts[id]?["requests_total"]?.integer ?? 0
                if total < seen[id, default: 1] {
                    flaws.append("\(id) has forgotten its \(seen[id, default: 1]) requests: \(total)")
                }
                seen[id] = total
            }
        }
        return flaws
    }
}

/// Clients that stream one chat after the other until they are told to stop.
private final class EndlessStreams: Sendable {
    private let proxy: RunningProxy
    private let text: String
    private let isOver = Mutex(false)

    init(at proxy: RunningProxy, text: String) {
        self.proxy = proxy
        self.text = text
    }

    func end() { isOver.withLock { $0 = true } }

    /// One client. It ends with its first chat that is not whole.
    func work() async throws -> Load.Tally {
        var tally = Load.Tally()
        while !isOver.withLock({ $0 }) {
            let answer = try await proxy.chat(RunningProxy.body(streams: true))
            if let flaw = answer.flaw(text, streams: true) {
                tally.flaws.append(flaw)
                break
            }
            tally.whole += 1
        }
        return tally
    }
}
