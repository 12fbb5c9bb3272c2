import LedgerTestSupport
import Logging
import ProxyAccounting
import Synchronization
import Testing

@testable import Proxy

@Suite struct LedgerOpeningTests {
    private final class Asked: Sendable {
        let places = Mutex<[String]>([])
    }

    private func open(
        _ directory: LedgerSettings.Directory, state: String? = nil, fails: Bool = false, isRefused: Bool = true,
        hasOpener: Bool = true
    ) async throws -> (ledger: (any Ledger)?, places: [String], log: [String]) {
        let asked = Asked()
        let log = LogBook()
        var settings = LedgerSettings()
        settings.directory = directory
        let opener: LedgerOpener = { options async throws(LedgerUnavailable) in
            asked.places.withLock { $0.append(options.directory) }
            if fails { throw LedgerUnavailable(isRefused: isRefused, reason: "process 7 has it") }
            return KeptLedger()
        }
        let ledger = try await settings.open(
            hasOpener ? opener : nil, stateDirectory: state, of: "/etc/proxy/c.conf", logger: log.logger)
        return (ledger, asked.places.withLock { $0 }, log.lines.map { "\($0)" })
    }

    @Test func `The file's directory comes first, then the service's, then the configuration's`() async throws {
        #expect(try await open(.named("/data"), state: "/var/lib/x").places == ["/data"])
        #expect(try await open(.standard, state: "/var/lib/x:/var/lib/y").places == ["/var/lib/x"])
        #expect(try await open(.standard).places == ["/etc/proxy"])
        let off = try await open(.off, state: "/var/lib/x")
        #expect(off.places.isEmpty)
        #expect(off.ledger == nil)
    }

    @Test func `A directory that somebody has named has to be had`() async throws {
        for (directory, state) in [
            (LedgerSettings.Directory.named("/data"), nil as String?), (.standard, "/var/lib/x"),
        ] {
            let error = await #expect(throws: ExitError.self) { try await open(directory, state: state, fails: true) }
            #expect(error?.code.rawValue == 69)
            #expect(error.map { "\($0)".contains("process 7 has it") } == true)
        }
    }

    @Test func `A disk that is full or broken is no reason not to serve`() async throws {
        let without = try await open(.named("/data"), fails: true, isRefused: false)
        #expect(without.ledger == nil)
        #expect(without.log.contains { $0.contains("error") && $0.contains("Requests are not recorded") })
    }

    @Test func `Beside the configuration it may be missing, which is told`() async throws {
        let without = try await open(.standard, fails: true)
        #expect(without.ledger == nil)
        #expect(without.log.contains { $0.contains("Requests are not recorded") && $0.contains("process 7 has it") })
    }

    @Test func `A program without a ledger runs, and says that the setting has no effect`() async throws {
        #expect(try await open(.standard, hasOpener: false).log.isEmpty)
        let told = try await open(.named("/data"), hasOpener: false)
        #expect(told.ledger == nil)
        #expect(told.log.contains { $0.contains("built without the ledger") })
    }
}
