import Foundation
import LedgerTestSupport
import ProxyAccounting
import Synchronization
import Testing

@testable import Proxy

/// Where no proxy runs.
@Suite struct OperatorCallsTests {
    private final class Patience: Sendable {
        let value = Mutex(Duration.zero)
    }

    /// A directory with a configuration whose process nobody has started.
    private final class Place {
        let directory: URL
        let ledger = KeptLedger()
        /// That the ledger was opened with last.
        let patience = Patience()

        init(_ settings: String = "", hasLedger: Bool = true) throws {
            directory = FileManager.default.temporaryDirectory.appending(path: "calls-\(UUID())")
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            let text = """
                admin_listen = unix:\(directory.path)/none.sock
                api_key = 0123456789abcdef0123456789abcdef
                state_dir = \(directory.path)
                \(settings)

                [PROVIDER_1]
                provider = up
                baseurl = http://127.0.0.1:9/v1
                token = sk-12345678
                """
            try text.write(to: directory.appending(path: "config.conf"), atomically: true, encoding: .utf8)
            if hasLedger { try Data().write(to: directory.appending(path: "ociai-proxy.db")) }
        }

        deinit { try? FileManager.default.removeItem(at: directory) }

        /// - Parameter holder: a process that has the ledger, and does not give it back.
        func calls(holder: Int? = nil, hasOpener: Bool = true) throws -> OperatorCalls {
            let (ledger, patience) = (ledger, patience)
            let opener: LedgerOpener = { options async throws(LedgerUnavailable) in
                patience.value.withLock { $0 = options.patience }
                if let holder {
                    throw LedgerUnavailable(isRefused: true, isInUse: true, holder: holder, reason: "in use")
                }
                return ledger
            }
            return try OperatorCalls(
                .configuration(Startup.Options(config: directory.path + "/config.conf")), environment: [:],
                workingDirectory: "/",
                key: nil, ledger: hasOpener ? opener : nil, log: { _ in })
        }

        func ask(_ call: OperatorCall) async throws -> String {
            try await calls().ask(call) { String(decoding: try await $0.document(), as: UTF8.self) }
        }
    }

    private func failure(_ work: () async throws -> Void) async -> ExitError? {
        do {
            try await work()
            return nil
        } catch {
            return error as? ExitError
        }
    }

    @Test func `A key is made, listed, rotated and revoked in the ledger, by the command line`() async throws {
        let place = try Place(hasLedger: false)
        let made = try await place.ask(.createKey("a", [("rpm", "60"), ("budget_hard", "5 USD per day")]))
        #expect(made.contains(#""key":"oci-"#))
        try Data().write(to: place.directory.appending(path: "ociai-proxy.db"))
        let list = try await place.ask(.keys)
        #expect(list.contains(#""name":"default""#))
        #expect(list.contains(#""name":"a""#))
        #expect(list.contains(#""rpm":60"#))
        #expect(try await place.ask(.rotateKey("a", grace: "0")).contains(#""key":"oci-"#))
        #expect(try await place.ask(.revokeKey("a")).contains(#""revoked_at":"2"#))
        #expect(
            place.ledger.actions == ["create a command line", "rotate a command line", "revoke a command line"])
    }

    @Test func `Tables and rows come as from the proxy`() async throws {
        let place = try Place()
        #expect(
            try await place.ask(.table("keys", from: "2026-01-01", to: "2026-02-01", key: nil))
                .contains(#""key":"alice""#))
        #expect(
            try await place.ask(.export(from: "2026-01-01", to: "2026-01-02", format: "csv", level: "day"))
                == "day csv\n1767225600 1767312000\n")
        #expect(try await place.ask(.reprice(since: "2026-01-01")).contains(#""changed":0"#))
    }

    @Test func `What is refused is told in the proxy's words`() async throws {
        let place = try Place()
        for (call, code, words) in [
            (OperatorCall.createKey("default", []), ExitCode.refused, "default"),
            (.createKey("x y", []), .badUsage, "x y"), (.createKey("x", [("rpm", "many")]), .badUsage, "rpm"),
            (.rotateKey("default", grace: nil), .refused, "config file"), (.revokeKey("nobody"), .refused, "nobody"),
            (.table("keys", from: "soon", to: nil, key: nil), .badUsage, "from"),
            (.reprice(since: "soon"), .badUsage, "since"),
        ] {
            let error = await failure { _ = try await place.ask(call) }
            #expect(error?.code == code)
            #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
        }
        place.ledger.fill()
        #expect(await failure { _ = try await place.ask(.createKey("x", [])) }?.code == .refused)
    }

    @Test func `A ledger that another command has is waited for`() async throws {
        let place = try Place()
        _ = try await place.ask(.keys)
        #expect(place.patience.value.withLock { $0 } == .seconds(3))
    }

    @Test func `A ledger that a process keeps is told with that process and the address`() async throws {
        let place = try Place()
        let calls = try place.calls(holder: 4711)
        let error = await failure { _ = try await calls.ask(.keys) { try await $0.document() } }
        #expect(error?.code == .cannotBind)
        let text = try #require(error?.description)
        #expect(text.contains("process 4711"))
        #expect(text.contains("none.sock (no such file)"))
    }

    @Test func `Where there is no ledger it says so`() async throws {
        let off = try Place()
        try String(contentsOf: off.directory.appending(path: "config.conf"), encoding: .utf8)
            .replacing(/state_dir = .*/, with: "state_dir = off")
            .write(to: off.directory.appending(path: "config.conf"), atomically: true, encoding: .utf8)
        let error = await failure { _ = try await off.ask(.keys) }
        #expect(error?.code == .badConfiguration)
        #expect(error?.description.contains("state_dir = off") == true)

        let empty = try Place(hasLedger: false)
        for call in [OperatorCall.keys, .table("keys", from: nil, to: nil, key: nil), .revokeKey("a")] {
            let error = await failure { _ = try await empty.ask(call) }
            #expect(error?.code == .cannotBind)
            #expect(error?.description.contains("no ledger in \(empty.directory.path) yet") == true)
        }
        let without = try empty.calls(hasOpener: false)
        let none = await failure { _ = try await without.ask(.keys) { try await $0.document() } }
        #expect(none?.description.contains("built without the ledger") == true)
    }

    @Test func `A configuration that cannot be used is told as at a start`() async throws {
        let place = try Place("nonsense")
        let error = await failure { _ = try await place.ask(.keys) }
        #expect(error?.code == .badConfiguration)
        #expect(error?.description.contains("config.conf:") == true)
    }
}
