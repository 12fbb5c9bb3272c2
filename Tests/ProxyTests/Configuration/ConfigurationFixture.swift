import Foundation
import Testing

@testable import Proxy

/// Configuration texts and a reader that knows a fixed set of files.
enum ConfigurationFixture {
    static let fingerprint = "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff"

    /// Lines 1 to 5: what a single account needs. `replacing` exchanges the value of one key, nil removes its line.
    static func identity(replacing key: String? = nil, with value: String? = nil) -> String {
        let keys = [
            ("user", "ocid1.user.oc1..u"), ("fingerprint", fingerprint), ("key_file", "key.pem"),
            ("tenancy", "ocid1.tenancy.oc1..t"), ("region", "us-chicago-1"),
        ]
        return keys.compactMap { name, standard in
            name == key ? value.map { "\(name) = \($0)\n" } : "\(name) = \(standard)\n"
        }.joined()
    }

    static func read(
        _ text: String, overrides: ConfigurationLoader.Overrides = .init(), files: Set<String> = ["/etc/proxy/key.pem"],
        credentials: CredentialEnvironment = .init()
    ) -> ConfigurationLoader.Outcome {
        read(Array(text.utf8), overrides: overrides, files: files, credentials: credentials)
    }

    static func read(
        _ bytes: [UInt8], overrides: ConfigurationLoader.Overrides = .init(),
        files: Set<String> = ["/etc/proxy/key.pem"], credentials: CredentialEnvironment = .init()
    ) -> ConfigurationLoader.Outcome {
        let lookup = KeyFileLookup(
            configurationDirectory: "/etc/proxy", workingDirectory: "/srv/proxy", home: "/home/me",
            fileExists: { files.contains($0) })
        return Settings.read(
            bytes: bytes, fileName: "c.conf", files: lookup, overrides: overrides, credentials: credentials)
    }

    /// The only account's identity.
    static func identity(of settings: Settings) -> APIKeyIdentity? {
        guard case .apiKey(let identity) = settings.usableAccounts.first?.credentials else { return nil }
        return identity
    }
}

/// A directory of its own, removed with the last reference.
final class TemporaryDirectory {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/configuration-tests-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ text: String, to name: String) throws -> String {
        let file = "\(path)/\(name)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        return file
    }
}
