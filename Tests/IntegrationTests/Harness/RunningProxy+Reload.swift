import Foundation
import Testing

extension RunningProxy {
    /// The configuration of a proxy over several accounts.
    var config: URL { directory.appending(path: "multi_config.conf") }

    /// The configuration as it stands.
    func configuration() throws -> String { try String(contentsOf: config, encoding: .utf8) }

    /// Writes another configuration, all at once.
    func configure(_ text: String) throws { try text.write(to: config, atomically: true, encoding: .utf8) }

    /// `POST /v1/reload` by somebody with a key.
    func reload() async throws -> RawAnswer { try await post("/v1/reload") }

    /// The same by the operator on the machine itself, without a key.
    func reloadWithoutKey() async throws -> RawAnswer {
        try await send("POST /v1/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
    }

    /// Puts another configuration into service, which must succeed.
    func reconfigure(_ text: String) async throws {
        try configure(text)
        let answer = try await reloadWithoutKey()
        try #require(answer.status == 200, "\(answer.body)")
    }
}

extension String {
    /// A configuration without the section of that name.
    func without(section: String) -> String {
        var isInside = false
        return split(separator: "\n", omittingEmptySubsequences: false).filter { line in
            if line.hasPrefix("[") { isInside = line == "[\(section)]" }
            return !isInside
        }.joined(separator: "\n")
    }
}
