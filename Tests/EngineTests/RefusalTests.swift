import ProxyCluster
import Testing

@testable import ProxyEngine

@Suite struct RefusalTests {
    private func failure(_ text: String) -> EngineFailure { EngineFailure(refusal: .error(Array(text.utf8))) }

    @Test(arguments: [
        ("LOADING Redis is loading the dataset in memory", "still reads its data"),
        ("READONLY You can't write against a read only replica.", "lead to the primary"),
        ("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", "lost its primary"),
        ("OOM command not allowed when used memory > 'maxmemory'.", "maxmemory"),
        ("BUSY Redis is busy running a script. You can only call SCRIPT KILL", "SCRIPT KILL"),
        ("MISCONF Redis is configured to save RDB snapshots", "cannot save"),
        ("NOREPLICAS Not enough good replicas to write.", "min-replicas-to-write"),
        ("CLUSTERDOWN The cluster is down", "lost nodes"),
        ("TRYAGAIN Multiple keys request during rehashing of slot", "moves the keys"),
        ("CROSSSLOT Keys in request don't hash to the same slot", "several hash slots"),
        ("DENIED Redis is running in protected mode", "protected mode"),
    ])
    func `A refusal by its code, with the engine's own words`(text: String, meaning: String) {
        guard case .unable(let words) = failure(text) else {
            Issue.record("\(failure(text))")
            return
        }
        #expect(words.contains(meaning))
        #expect(words.contains(text))
        #expect(failure(text).words == words)
    }

    @Test(arguments: ["MOVED 3999 10.1.2.3:6381", "ASK 3999 10.1.2.3:6381"])
    func `No address is shown`(text: String) {
        guard case .unable(let words) = failure(text) else {
            Issue.record("\(failure(text))")
            return
        }
        #expect(words.contains("cluster"))
        #expect(!words.contains("10.1"))
    }

    @Test(arguments: [
        "NOPERM this user has no permissions to run the 'info' command",
        "WRONGPASS invalid username-password pair or user is disabled.",
        "ERR The user executing the script can't run this command or subcommand script: b1b2, on @user_script:1.",
        "ERR ACL failure in script: User u has no permissions to run the 'info' command",
    ])
    func `What a user may not do`(text: String) { #expect(failure(text) == .refused(text)) }

    @Test func `A password that is missing`() {
        #expect(failure("NOAUTH Authentication required.").words.contains("wants a password"))
    }

    @Test(arguments: [
        ("READONLY", "-READONLY You can't write against a read only replica.", "lead to the primary"),
        ("OOM", "-OOM command not allowed when used memory > 'maxmemory'.", "maxmemory"),
    ])
    func `The code of an error inside of a script, as Redis 6 tells it`(code: String, inner: String, meaning: String) {
        let failure = failure(
            "ERR Error running script (call to f_0123): @user_script:12: @user_script: 12: \(inner)")
        #expect(failure.words.contains(meaning))
        // Elsewhere such words mean nothing.
        #expect(self.failure("ERR \(inner)").words.hasPrefix("it refuses what is asked"))
    }

    @Test func `Any other text is shown as far as it is bearable`() {
        #expect(failure("ERR max number of clients reached").words.contains("max number of clients reached"))
        #expect(failure("").words == "it refuses what is asked: ")
        #expect(failure("ERR \u{1B}[31m\u{7}red").words == "it refuses what is asked: ERR  [31m red")
        #expect(failure("ERR " + String(repeating: "x", count: 5_000)).words.utf8.count < 300)
    }

    @Test(arguments: [RESP.null, .integer(1), .status([0x4F]), .string([]), .array([])])
    func `What is no error is no answer of such an engine`(answer: RESP) {
        #expect(EngineFailure(refusal: answer) == .malformed)
    }
}

@Suite struct RedirectTests {
    private func read(_ text: String) -> Redirect? { Redirect(.error(Array(text.utf8))) }

    @Test func `A node by its address, its name, or its port alone`() throws {
        for (text, host) in [
            ("10.0.0.5:6379", "10.0.0.5"), ("::1:6379", "::1"), ("[fe80::1]:6379", "fe80::1"),
            ("node-2.example:6379", "node-2.example"), (":6379", ""),
        ] {
            let redirect = try #require(read("MOVED 3999 \(text)"))
            #expect(redirect.host == host)
            #expect(redirect.port == 6_379)
        }
    }

    @Test(arguments: [
        "MOVED", "MOVED 1", "MOVED 1 host", "MOVED 1 host:", "MOVED 1 host:0", "MOVED 1 host:65536", "MOVED 1 host:-1",
        "MOVED 1 ?:6379", "MOVED 1 a:1 b:2", "ASK 3999 10.0.0.5:6379", "moved 3999 10.0.0.5:6379",
        "MOVED 1 " + String(repeating: "a", count: 600) + ":6379",
    ])
    func `What names nobody`(text: String) { #expect(read(text) == nil) }

    @Test func `No answer but an error`() {
        #expect(Redirect(.status(Array("MOVED 1 a:1".utf8))) == nil)
        #expect(Redirect(.null) == nil)
    }

    @Test func `It is gone to as the first one was`() throws {
        let other = try #require(read("MOVED 1 b:7"))
        let samePlace = try #require(read("MOVED 1 :7"))
        #expect(RedisEngine.Place.host("a", port: 1, isTLS: true).following(other) == .host("b", port: 7, isTLS: true))
        #expect(
            RedisEngine.Place.host("a", port: 1, isTLS: false).following(samePlace) == .host("a", port: 7, isTLS: false)
        )
        #expect(RedisEngine.Place.unix("/s").following(other) == .host("b", port: 7, isTLS: false))
        #expect(RedisEngine.Place.unix("/s").following(samePlace) == nil)
    }
}

@Suite struct EngineVersionTests {
    private func version(_ text: String) -> EngineVersion? { EngineVersion(.string(Array(text.utf8))) }

    @Test(arguments: [
        ("5.0.14", "", "Redis 5.0.14", false), ("6.0.0", "", "Redis 6.0.0", true), ("7.2.4", "", "Redis 7.2.4", true),
        ("10.0.1", "", "Redis 10.0.1", true),
        ("7.2.4", "server_name:valkey\r\nvalkey_version:8.1.0\r\n", "Valkey 8.1.0", true),
    ])
    func `An engine by what it says of itself`(redis: String, more: String, shown: String, isSupported: Bool) throws {
        let found = try #require(version(PlayedEngine.information(version: redis, more: more)))
        #expect(found.description == shown)
        #expect(found.isSupported == isSupported)
        #expect(found.mode == .alone)
    }

    @Test func `One of a cluster, and a sentinel`() {
        #expect(version(PlayedEngine.information(mode: "cluster"))?.mode == .cluster)
        #expect(version(PlayedEngine.information(mode: "sentinel"))?.mode == .sentinel)
        // As Valkey may say it alone.
        #expect(version("redis_version:7.2.4\r\nserver_mode:cluster\r\n")?.mode == .cluster)
    }

    @Test(arguments: ["", "redis_version", "redis_version:\r\n", "redis_version:new\r\n", "version:7.0.0\r\n"])
    func `What is no such engine`(text: String) {
        #expect(version(text) == nil)
        #expect(EngineVersion(.array([])) == nil)
    }
}
