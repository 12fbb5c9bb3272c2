import Foundation
import LedgerTestSupport
import NIOHTTP1
import ProxyAccounting
import ProxyTestSupport
import Testing

@testable import Proxy

/// Whose proxy it is that answers.
@Suite struct OwnIdentityTests {
    private final class Place {
        let directory = FileManager.default.temporaryDirectory.appending(path: "identity-\(UUID())")

        init() throws { try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(at: directory) }

        func file(_ name: String) throws -> String {
            let place = directory.appending(path: name)
            try Data("x".utf8).write(to: place)
            return place.path
        }
    }

    private func table(of configuration: String) throws -> EndpointTable {
        let time = ManualTime().source
        let managed = ManagedKeys(accounts: KeyAccounts())
        return EndpointTable(
            EndpointTable.books(
                KeysRoute(fileKeys: [.fixture], managed: managed, ledger: KeptLedger(), time: time),
                LedgerRoute(ledger: KeptLedger(), time: time),
                WhyRoute(
                    running: RunningRequests(), recent: RecentEntries(), ledger: nil, upstreams: .none, time: time),
                of: OwnIdentity(configuration: configuration)))
    }

    private func door(_ configuration: String) throws -> FrontDoor {
        let time = ManualTime().source
        return FrontDoor(
            keys: ClientKeys([.fixture]),
            localAccess: LocalAccess(isEnabled: false, ownUser: 0, socketOwner: { _ in nil }),
            cors: CORS(origins: []), limits: FrontDoor.Limits(body: 1 << 20, connections: 1), rates: RequestRates(),
            endpoints: try table(of: configuration), counters: RequestCounters(), time: time, logger: .silent)
    }

    @Test func `A request for another configuration does nothing, and is told both`() async throws {
        let place = try Place()
        let (own, other) = (try place.file("own.conf"), try place.file("other.conf"))
        let door = try door(own)
        func ask(_ method: HTTPMethod, _ path: String, _ body: String = "", for configuration: String?) async throws
            -> (status: Int, headers: HTTPHeaders, body: String)
        {
            try await door.wholeAnswer(
                method, path, body, headers: configuration.map { ["x-ociai-configuration": $0] } ?? [:])
        }
        let wrong = ConfigurationIdentity(ofFileAt: other).value
        for (method, path, body) in [
            (HTTPMethod.GET, "/admin/keys", ""), (.POST, "/admin/keys", #"{"name":"bob"}"#),
            (.DELETE, "/admin/keys/bob", ""), (.POST, "/admin/keys/bob/rotate", "{}"),
            (.GET, "/admin/ledger/keys", ""), (.GET, "/admin/ledger/export", ""),
            (.POST, "/admin/ledger/reprice", #"{"since":"2026-01-01"}"#),
        ] {
            let answer = try await ask(method, path, body, for: wrong)
            #expect(answer.status == 412, "\(method) \(path)")
            #expect(answer.body.contains("other_configuration"))
            for file in ["own.conf", "other.conf"] { #expect(answer.body.contains(file)) }
        }
        #expect(!(try await ask(.GET, "/admin/keys", for: nil)).body.contains("bob"))
        for right in [ConfigurationIdentity(ofFileAt: own).value, "*"] {
            let answer = try await ask(.GET, "/admin/keys", for: right)
            #expect(answer.status == 200)
            #expect(answer.headers.first(name: "x-ociai-process") == "\(ProcessInfo.processInfo.processIdentifier)")
            let its = answer.headers.first(name: "x-ociai-configuration").flatMap { ConfigurationIdentity(field: $0) }
            #expect(its == ConfigurationIdentity(ofFileAt: own))
        }
        #expect(try await ask(.GET, "/admin/keys", for: nil).headers.first(name: "x-ociai-process") == nil)
        #expect(try await ask(.GET, "/admin/keys", for: "nonsense").status == 400)
    }

    @Test func `A link to the file is the file, and one of the same path elsewhere is not`() throws {
        let place = try Place()
        let file = try place.file("a b.conf")
        let link = place.directory.appending(path: "link.conf").path
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: file)
        let own = ConfigurationIdentity(ofFileAt: file)
        #expect(ConfigurationIdentity(ofFileAt: link) == own)
        #expect(ConfigurationIdentity(field: own.value) == own)
        #expect(!own.isSame(as: ConfigurationIdentity(path: own.path, file: "1-2")))
        // Of a file that is gone, or that may not be looked at, the path is all there is.
        #expect(own.isSame(as: ConfigurationIdentity(path: own.path)))
        #expect(!own.isSame(as: ConfigurationIdentity(path: "/other")))
        for text in ["", "*", "/x", "1-2 x", "1-2 /x y"] { #expect(ConfigurationIdentity(field: text) == nil) }
    }
}
