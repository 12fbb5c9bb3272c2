import Foundation
import Testing

@testable import ProxyImport

/// What holds for every configuration.
@Suite struct FixtureTests {
    @Test func `Twelve configurations are imported`() throws {
        let all = try ImportFixture.all()
        #expect(all.count == 12)
        for (name, result) in all { #expect(result.configuration != nil, "\(name)") }
    }

    /// Keys as a person sees them, without the reader: what stands before a colon.
    private static func linesWithKeys(_ bytes: [UInt8]) -> Set<Int> {
        var found: Set<Int> = []
        for (index, line) in String(decoding: bytes, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false
        ).enumerated() {
            let trimmed = line.drop { $0 == " " || $0 == "-" }
            let name = trimmed.prefix { $0.isLetter || $0.isNumber || "_\"*/.<=$".contains($0) }
            let rest = trimmed.dropFirst(name.count).drop { $0 == " " }
            if !trimmed.hasPrefix("#"), !name.isEmpty, rest.hasPrefix(":") { found.insert(index + 1) }
        }
        return found
    }

    @Test(arguments: ImportFixture.litellm)
    func `The report names a key in each line that has one`(name: String) throws {
        let bytes = try ImportFixture.bytes(name)
        let result = try ConfigurationImport.read(.litellm, file: bytes)
        #expect(Self.linesWithKeys(bytes).subtracting(result.report.rows.map(\.line)).isEmpty)
        #expect(result.report.counts.values.reduce(0, +) == (try YAMLReader.read(bytes)).keys.all.count)
        #expect(result.report.rows.allSatisfy { !$0.text.isEmpty })
    }

    @Test func `Nothing that is said to be secret is printed`() throws {
        let secrets = [
            "must-not-be-shown", "never-be-shown", "SECRETSECRET", "sk-made-up-and-secret", "secret-of-the-database",
            "another-key-of-that-kind",
        ]
        for (name, result) in try ImportFixture.all() {
            let text =
                (result.configuration ?? "")
                + result.report.lines(SourceNames("f", settings: "s")).joined(separator: "\n")
            for secret in secrets { #expect(!text.contains(secret), "\(name)") }
        }
    }

    @Test func `Two imports of one file are the same`() throws {
        let one = try ImportFixture.all().map(\.result)
        let two = try ImportFixture.all().map(\.result)
        #expect(one == two)
    }

    @Test func `Settings that the proxy does not have yet are written by nobody`() throws {
        let pending = Set(PendingSetting.ofProvider.values.filter { !$0.isSupported }.map(\.setting))
        for (name, result) in try ImportFixture.all() {
            for number in 1...20 {
                let keys = result.section("PROVIDER_\(number)").map { String($0.prefix { $0 != " " }) }
                #expect(pending.isDisjoint(with: keys), "\(name)")
            }
        }
    }
}
