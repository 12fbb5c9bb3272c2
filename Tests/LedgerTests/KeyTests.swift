import GRDB
import ProxyAccounting
import Synchronization
import Testing

@testable import ProxyLedger

@Suite struct KeyTests {
    private let harness = LedgerHarness()

    private var key: ManagedKey {
        var limits = KeyLimits()
        limits.role = .viewer
        limits.expires = 5
        limits.models = ["grok.*", "日本\"語"]
        limits.requestsPerMinute = 3
        limits.tokensPerMinute = 4
        limits.maxConcurrency = 2
        limits.hardBudgets = [Budget(.money(5_000_000_000), per: .day), Budget(.tokens(90_000), per: .hour)]
        limits.softBudgets = BudgetWindow.allCases.map { Budget(.tokens(.max), per: $0) }
        return ManagedKey(
            name: "team", digest: (0..<32).map { UInt8($0) }, prefix: "oci-ab", created: 17, limits: limits)
    }

    @Test func `What has been done to keys comes back in the order of time, the last of it`() async throws {
        let ledger = try harness.open()
        var other = key
        (other.name, other.digest) = ("other", [1])
        try await ledger.save(key, action: "create", by: "a")
        harness.clock.withLock { $0 += 5_000_000 }
        try await ledger.save(other, action: "create", by: "b")
        try await ledger.save(key, action: "revoke", by: "c")
        let noon = LedgerHarness.noon
        let all = [
            KeyChange(at: noon, key: "team", action: "create", actor: "a"),
            KeyChange(at: noon + 5, key: "other", action: "create", actor: "b"),
            KeyChange(at: noon + 5, key: "team", action: "revoke", actor: "c"),
        ]
        #expect(try await ledger.keyChanges(of: nil, limit: 10) == all)
        #expect(try await ledger.keyChanges(of: nil, limit: 2) == Array(all.suffix(2)))
        #expect(try await ledger.keyChanges(of: "team", limit: 10) == [all[0], all[2]])
        #expect(try await ledger.keyChanges(of: "nobody", limit: 10).isEmpty)
        await ledger.close(within: .seconds(600))
    }

    @Test func `A key comes back with its limits, through its rotation and revocation, and after a restart`()
        async throws
    {
        var ledger = try harness.open()
        var key = key
        try await ledger.save(key, action: "create", by: "operator")
        #expect(try await ledger.keys() == [key])
        key.former = [.init(digest: key.digest, until: 99), .init(digest: [0], until: 98)]
        key.digest = [7, 8, 9]
        try await ledger.save(key, action: "rotate", by: "operator")
        #expect(try await ledger.keys() == [key])
        key.revoked = 100
        key.limits = KeyLimits()
        try await ledger.save(key, action: "revoke", by: "somebody")
        await ledger.close(within: .seconds(600))
        ledger = try harness.open()
        #expect(try await ledger.keys() == [key])
        await ledger.close(within: .seconds(600))
        let audit = try harness.look { db in
            try Row.fetchAll(db, sql: "SELECT actor, action, subject, at FROM audit ORDER BY id")
        }
        #expect(audit.map { $0["action"] } == ["create", "rotate", "revoke"])
        #expect(audit.map { $0["actor"] } == ["operator", "operator", "somebody"])
        #expect(audit.allSatisfy { $0["subject"] == "team" && $0["at"] == LedgerHarness.noon })
    }

    @Test func `A digest that another key has is refused, and nothing is written`() async throws {
        let ledger = try harness.open()
        try await ledger.save(key, action: "create", by: "o")
        var other = key
        other.name = "other"
        let error = await #expect(throws: LedgerError.self) { try await ledger.save(other, action: "create", by: "o") }
        #expect(error?.code == .conflict)
        #expect(try await ledger.keys().map(\.name) == ["team"])
        await ledger.close(within: .seconds(600))
        #expect(try harness.look { try Int.fetchOne($0, sql: "SELECT count(*) FROM audit") } == 1)
    }

    @Test func `Members that nobody knows do not lose the key`() async throws {
        var ledger = try harness.open()
        try await ledger.save(key, action: "create", by: "o")
        await ledger.close(within: .seconds(600))
        try harness.change("UPDATE key SET limits = json_set(limits, '$.colour', json('{\"of\":[1]}'))")
        ledger = try harness.open()
        #expect(try await ledger.keys() == [key])
        await ledger.close(within: .seconds(600))
    }

    @Test(arguments: [
        "not json", "[]", #"{"hard":[{"tokens":5,"per":"fortnight"}]}"#, #"{"hard":[{"per":"day"}]}"#,
        #"{"rpm":"many"}"#,
    ])
    func `Limits that are not understood keep the key, but refuse it`(limits: String) async throws {
        var ledger = try harness.open()
        try await ledger.save(key, action: "create", by: "o")
        await ledger.close(within: .seconds(600))
        try harness.change("UPDATE key SET limits = '\(limits)'")
        ledger = try harness.open()
        let keys = try await ledger.keys()
        #expect(keys.map(\.digest) == [key.digest])
        #expect(keys.first?.limits.expires == 0)
        #expect(harness.words.contains { $0.contains("team") })
        await ledger.close(within: .seconds(600))
    }

    @Test func `An unknown role is the least one`() {
        #expect(KeyLimitsText.decode(#"{"role":"emperor","rpm":3}"#)?.role == .client)
        #expect(KeyLimitsText.decode(#"{"role":"admin"}"#)?.role == .admin)
    }
}
