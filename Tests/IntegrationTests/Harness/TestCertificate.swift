import Foundation
import Testing

/// A certificate for this machine that is its own authority, and its key, made by openssl for one test.
struct TestCertificate {
    /// Paths of PEM files.
    let certificate: String
    let key: String

    /// - Parameters:
    ///   - name: the subject's common name.
    ///   - directory: where `NAME.pem` and `NAME.key` are written.
    static func make(_ name: String, in directory: URL) async throws -> TestCertificate {
        let pair = TestCertificate(
            certificate: directory.appending(path: "\(name).pem").path,
            key: directory.appending(path: "\(name).key").path)
        let openssl = try Program(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=\(name)",
                "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", pair.key, "-out", pair.certificate,
            ])
        try #require(await openssl.exitCode() == 0, "\(openssl.output)")
        return pair
    }

    /// Puts this pair in the place of another, as a renewal does.
    func replace(_ other: TestCertificate) throws {
        for (new, old) in [(certificate, other.certificate), (key, other.key)] {
            try Data(contentsOf: URL(filePath: new)).write(to: URL(filePath: old), options: .atomic)
        }
    }

    /// The lines of the configuration.
    var settings: String { "tls_cert = \(certificate)\ntls_key = \(key)" }
}

extension RunningProxy {
    /// What curl says that trusts nobody but this certificate: the body, then the status and the HTTP version.
    func curl(_ path: String, trusting pair: TestCertificate, _ arguments: [String] = []) async throws -> (
        code: Int32, output: String
    ) {
        let curl = try Program(
            "/usr/bin/curl",
            [
                "-sS", "--noproxy", "*", "--cacert", pair.certificate, "-w",
                "\n%{http_code} HTTP/%{http_version} %{size_download}",
            ] + arguments
                + ["https://127.0.0.1:\(port)\(path)"])
        return (await curl.exitCode(), curl.output)
    }

    /// What openssl says of a handshake.
    func handshake(trusting pair: TestCertificate, _ arguments: String...) async throws -> (code: Int32, output: String)
    {
        let client = try Program(
            "/usr/bin/openssl",
            [
                "s_client", "-connect", "127.0.0.1:\(port)", "-CAfile", pair.certificate, "-verify_return_error",
                "-servername", "localhost",
            ] + arguments)
        return (await client.exitCode(), client.output)
    }
}
