import Foundation
import Testing

@testable import Proxy

@Suite struct LedgerPlaceTests {
    private func place(
        _ directory: LedgerSettings.Directory, in folder: String = "/home/alice/x", variable: String? = nil,
        named: String? = nil
    ) throws -> LedgerPlace {
        var settings = LedgerSettings()
        settings.directory = directory
        let source = ConfigurationSource(
            Startup.Options(config: "\(folder)/config.conf"),
            environment: variable.map { ["STATE_DIRECTORY": $0] } ?? [:], workingDirectory: "/srv")
        return try LedgerPlace(settings, of: source, named: named)
    }

    @Test func `The file goes before the command line, and that before the environment`() throws {
        #expect(try place(.named("/a")) == LedgerPlace(directory: "/a", origin: .named))
        #expect(try place(.named("/a"), variable: "/b") == LedgerPlace(directory: "/a", origin: .named))
        #expect(try place(.named("/a"), named: "/a").directory == "/a")
        #expect(try place(.standard, variable: "/b:/c") == LedgerPlace(directory: "/b", origin: .named))
        #expect(try place(.standard, variable: "/b", named: "d") == LedgerPlace(directory: "/srv/d", origin: .named))
        #expect(try place(.standard) == LedgerPlace(directory: "/home/alice/x", origin: .besideFile))
        let two = #expect(throws: ExitError.self) { try place(.named("/a"), named: "/b") }
        #expect(two?.code == .badUsage)
        let off = #expect(throws: ExitError.self) { try place(.off) }
        #expect(off?.code == .badConfiguration)
    }

    @Test(arguments: [
        ("/etc/ociai-proxy", "/var/lib/ociai-proxy"), ("/etc/x/conf.d", "/var/lib/x"), ("/etc", nil),
        ("/home/alice/etc/x", nil), ("/etc/..", nil),
    ])
    func `What is in /etc/NAME is a service's, which has its state in /var/lib/NAME`(folder: String, state: String?) {
        #expect(LedgerPlace.serviceDirectory(ofConfigurationIn: folder) == state)
    }

    @Test func `A service that has not been started yet has no ledger, and gets none beside its configuration`() throws
    {
        let name = "ociai-test-\(UUID())"
        let source = ConfigurationSource(
            Startup.Options(config: "/etc/\(name)/config.conf"), environment: [:], workingDirectory: "/")
        let place = try LedgerPlace(LedgerSettings(), of: source, named: nil)
        #expect(place.origin == .besideFile)
        for call in [OperatorCall.createKey("a", []), .keys] {
            let error = #expect(throws: ExitError.self) { try place.owner(for: call, of: source) }
            #expect(error?.code == .cannotBind)
            #expect(error?.description.contains("/var/lib/\(name)") == true)
            #expect(error?.description.contains("-state-dir") == true)
        }
    }
}
