import Foundation
import Testing

@testable import Proxy

/// The commented examples that people copy.
@Suite struct ConfigurationExamplesTests {
    static let names = ["config.conf.example", "multi_config.conf.example"]
    static let files: Set = ["oci_api_key.pem", "account_1.pem", "account_2.pem", "server.pem", "server.key", "ca.pem"]

    static func text(_ name: String) throws -> String {
        // Tests/ProxyTests/Configuration/ThisFile.swift
        let root = (0..<4).reduce(URL(fileURLWithPath: #filePath)) { url, _ in url.deletingLastPathComponent() }
        return try String(contentsOf: root.appendingPathComponent("configs/\(name)"), encoding: .utf8)
    }

    static func read(_ text: String) -> ConfigurationLoader.Outcome {
        ConfigurationFixture.read(
            text, files: Set(files.map { "/etc/proxy/\($0)" } + ["/home/me/.oci/sessions/DEFAULT/token"]),
            credentials: CredentialEnvironment(readFile: { $0 == "/home/me/.oci/config" ? Array("[DEFAULT]\n".utf8) : nil }))
    }

    @Test(arguments: names)
    func asItStandsOnlyAKeyIsToBeGenerated(name: String) throws {
        let outcome = Self.read(try Self.text(name))
        // [FALLBACKS] is there to be filled in.
        #expect(outcome.issues.map(\.message) == ["[FALLBACKS] has no effect in this version"])
        let settings = try #require(outcome.settings)
        #expect(settings.needsGeneratedKey)
        #expect(settings.mode == (name.hasPrefix("multi") ? .multiAccount : .single))
        #expect(settings.server == ServerSettings())
        #expect(settings.models.map(\.name) == ["llama-3.3-70b", "grok-4"])
    }

    @Test(arguments: names)
    func withEveryKeyUncommentedItIsStillValidAndHasTheDefaults(name: String) throws {
        let outcome = Self.read(Self.uncommented(try Self.text(name)))
        #expect(outcome.errors.isEmpty)
        let noEffect = outcome.warnings.allSatisfy { $0.message.contains("has no effect") }
        #expect(noEffect, "\(outcome.warnings)")
        var settings = try #require(outcome.settings)
        #expect(settings.timeouts == TimeoutSettings())
        #expect(settings.limits == LimitSettings())
        #expect(settings.routing == RoutingSettings())
        #expect(settings.breaker == BreakerSettings())
        #expect(settings.logging == LoggingSettings())
        #expect(settings.providers.count == 1)
        settings.server.tlsCertificate = nil
        settings.server.tlsKey = nil
        #expect(settings.server == ServerSettings())
    }

    @Test(arguments: names)
    func everyKeyOfTheTableIsInIt(name: String) throws {
        let document = INIDocument(Array(Self.uncommented(try Self.text(name)).utf8))
        #expect(document.problems.isEmpty)
        let present = Set(document.sections.flatMap(\.entries).map(\.name))
        let identity = name.hasPrefix("multi") ? SettingsTable.account : SettingsTable.identity
        let expected =
            [SettingsTable.clientKey] + (SettingsTable.global + SettingsTable.breaker).map(\.name)
            + identity.map(\.name) + SettingsTable.provider.map(\.name)
        #expect(expected.filter { !present.contains($0) } == [])
        let sections = Set(document.sections.map(\.name))
        #expect(
            sections.isSuperset(of: ["global", "circuit_breaker", "models", "api_keys", "fallbacks", "provider_1"]))
    }

    /// `#key = value` and `#[SECTION]` without the sign; explanations have a blank after it.
    static func uncommented(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.hasPrefix("#") && line.count > 1 && !line.hasPrefix("# ") ? line.dropFirst() : line
        }.joined(separator: "\n")
    }
}
