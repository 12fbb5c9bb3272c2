import Foundation
import Testing

@testable import Proxy

/// What a library's user learns about a configuration file.
@Suite struct ProxyConfigurationTests {
    private func read(_ text: String, environment: [String: String] = [:]) throws -> ProxyConfiguration {
        let file = FileManager.default.temporaryDirectory.appending(path: "ociai-library-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try text.write(to: file, atomically: true, encoding: .utf8)
        return try ProxyConfiguration(contentsOf: file.path, port: 0, environment: environment)
    }

    private static let valid = """
        {
            "providers": ["p|http://127.0.0.1:9/v1|secret-of-p"],
            "tokens": ["a|0123456789abcdef0123456789abcdef"],
        """

    @Test func `All errors are listed with file and line and fix`() throws {
        let text = Self.valid + "\n\"queue_size\": -1,\n\"retry_attempts\": \"many\"}"
        let error = try #require(throws: ProxyConfiguration.Invalid.self) { try read(text) }
        let errors = error.issues.filter { !$0.isWarning }
        #expect(errors.map(\.line) == [4, 5])
        #expect(errors[0].message.contains("queue_size") && errors[1].message.contains("retry_attempts"))
        #expect(errors.allSatisfy { $0.file.hasSuffix(".json") && !$0.fix.isEmpty })
        for issue in error.issues { #expect(error.description.contains(issue.description)) }
        #expect(errors[0].description.contains(".json:4: ") && !error.description.contains("secret-of-p"))
    }

    @Test func `A file that is not there is said`() throws {
        let error = try #require(throws: ProxyConfiguration.Invalid.self) {
            try ProxyConfiguration(contentsOf: "/nonexistent/config.conf", environment: [:])
        }
        #expect(error.issues.map(\.message) == ["no such file"] && error.issues[0].line == nil)
    }

    @Test func `An outbound proxy that cannot be used is said without its value`() throws {
        let error = try #require(throws: ProxyConfiguration.Invalid.self) {
            try read(Self.valid + "}", environment: ["HTTPS_PROXY": "ftp://user:pass-word@host"])
        }
        #expect(error.description.contains("HTTPS_PROXY") && !error.description.contains("pass-word"))
    }

    @Test func `What is odd keeps nobody from serving`() throws {
        let configuration = try read(Self.valid + "\n\"queue_sise\": 5}")
        #expect(configuration.issues.contains { $0.isWarning && $0.line == 4 && $0.message.contains("queue_sise") })
    }
}
