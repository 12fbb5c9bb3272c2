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
            credentials: CredentialEnvironment(readFile: {
                $0 == "/home/me/.oci/config" ? Array("[DEFAULT]\n".utf8) : nil
            }))
    }

    @Test(arguments: names)
    func `As it stands only a key is to be generated`(name: String) throws {
        let outcome = Self.read(try Self.text(name))
        #expect(outcome.issues.isEmpty)
        let settings = try #require(outcome.settings)
        #expect(settings.needsGeneratedKey)
        #expect(settings.mode == (name.hasPrefix("multi") ? .multiAccount : .single))
        #expect(settings.server == ServerSettings())
        #expect(settings.models.map(\.name) == ["llama-3.3-70b", "grok-4"])
    }

    @Test(arguments: names)
    func `With every key uncommented it is still valid and has the defaults`(name: String) throws {
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
    func `Every key of the table is in it`(name: String) throws {
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

    // MARK: JSON

    static let json = "config.json.example"

    @Test func `The JSON example is valid as it stands`() throws {
        let outcome = Self.read(try Self.text(Self.json))
        #expect(outcome.issues.isEmpty)
        let settings = try #require(outcome.settings)
        #expect(settings.providers.map(\.id) == ["zhipu", "openrouter-1", "openrouter-2", "groq"])
        #expect(settings.clientKeys.map(\.name) == ["alice", "bob"])
    }

    @Test func `The JSON example with every key uncommented has the defaults`() throws {
        let plain = try #require(Self.read(try Self.text(Self.json)).settings)
        let outcome = Self.read(Self.uncommentedJSON(try Self.text(Self.json)))
        #expect(outcome.errors.isEmpty)
        #expect(outcome.warnings.isEmpty, "\(outcome.warnings)")
        var settings = try #require(outcome.settings)
        #expect(settings.usableAccounts.map(\.id) == ["chicago"])
        #expect(settings.fallbacks.count == 1)
        #expect(settings.caFile == "/etc/proxy/ca.pem")
        settings.accounts = []
        settings.fallbacks = []
        settings.caFile = nil
        settings.server.tlsCertificate = nil
        settings.server.tlsKey = nil
        settings.providers = plain.providers
        #expect(settings == plain)
    }

    @Test func `Every key of the JSON format is in its example`() throws {
        let document = JSONConfiguration(Array(Self.uncommentedJSON(try Self.text(Self.json)).utf8))
        #expect(document.problems.isEmpty)
        let present = Set(document.sections.flatMap(\.entries).map(\.name))
        #expect(
            (SettingsTable.aggregator.map(\.name) + SettingsTable.provider.map(\.name)).filter { !present.contains($0) }
                == [])
        let sections = Set(document.sections.map(\.name))
        #expect(sections.isSuperset(of: ["provider_1", "account_1", "api_keys", "fallbacks", "supported_models"]))
    }

    /// `//"key": value` without the sign; explanations have a blank after it.
    static func uncommentedJSON(_ text: String) -> String { text.replacing("//\"", with: "\"") }

    /// `#key = value` and `#[SECTION]` without the sign; explanations have a blank after it.
    static func uncommented(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.hasPrefix("#") && line.count > 1 && !line.hasPrefix("# ") ? line.dropFirst() : line
        }.joined(separator: "\n")
    }
}
