import Foundation
import ProxyTestSupport
import Testing

@testable import Proxy

/// Damaged configuration files in both formats. `INIDocumentTests` and `BrokenJSONTests` have cases with rules of their own.
@Suite struct FuzzedConfigurationTests {
    private static let secrets = [
        "canary-pass-phrase", "canary-client-key", "canary-provider-token", "canary-bearer-key",
    ]

    private static func samples() throws -> [String] {
        try ["config.conf.example", "multi_config.conf.example", "config.json.example"].map {
            try ConfigurationExamplesTests.text($0)
        } + [
            ConfigurationFixture.identity() + """
                pass_phrase = \(secrets[0])
                api_key = \(secrets[1])
                [GLOBAL]
                port = 8080
                max_request_size = 32 MiB
                [ACCOUNT_1]
                auth = bearer
                bearer_key = \(secrets[3])
                region = us-chicago-1
                [PROVIDER_1]
                provider = acme
                baseurl = https://a.example/v1
                token = \(secrets[2])
                [API_KEYS]
                other = \(secrets[1])-2
                [FALLBACKS]
                a = b, c
                """,
            #"{"providers":[{"provider":"acme","baseurl":"https://a.example/v1","token":"\#(secrets[2])"},"b|https://b.example|\#(secrets[2])"],"tokens":["alice|\#(secrets[1])"],"oci_accounts":[{"auth":"bearer","bearer_key":"\#(secrets[3])","region":"us-chicago-1","compartment":"ocid1.c"}]}"#,
        ]
    }

    private static let pieces = [
        "=", " = ", ":", "#", ";", "\"", "'", "[", "]", "[GLOBAL]", "\n", "\r\n", "\r", ",", "|", "{", "}", "\\", "//",
        "/*", "null", "1e999", "-1", "10 GiB", "\u{0}", "é", "\u{FEFF}",
    ]

    @Test(arguments: Fuzz.seeds(250))
    func `A damaged file is usable or says why and where`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let sample = try #require(try Self.samples().randomElement(using: &random))
        let bytes = Fuzz.damage(Array(sample.utf8), with: Self.pieces, &random)
        let outcome = ConfigurationFixture.read(bytes)
        #expect(outcome.settings != nil || outcome.issues.contains { $0.severity == .error })
        let lines = bytes.count { $0 == 0x0A } + bytes.count { $0 == 0x0D } + 1
        for issue in outcome.issues {
            #expect(!issue.message.isEmpty && !issue.fix.isEmpty)
            #expect(issue.line.map { (1...lines).contains($0) } ?? true, "\(issue)")
            #expect(
                issue.description.unicodeScalars.allSatisfy { ($0.value >= 0x20 || $0 == "\t") && $0.value != 0x7F },
                "one line, and nothing that moves a cursor: \(issue.description.debugDescription)")
        }
        if let settings = outcome.settings { #expect(!CheckReport.lines(settings).isEmpty) }
    }
}
