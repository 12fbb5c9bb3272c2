import Foundation
import ProxyTestSupport
import Testing

@testable import Proxy

@Suite struct CertificatePairTests {
    /// A directory with the fixtures' certificate and key, which the test may spoil.
    private final class Directory {
        let url: URL
        let files: CertificatePair.Files

        init() throws {
            url = FileManager.default.temporaryDirectory.appending(path: "ociai-pair-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            files = .init(certificate: url.appending(path: "cert.pem").path, key: url.appending(path: "key.pem").path)
            try write(try Self.fixture("server.pem"), to: files.certificate)
            try write(try Self.fixture("server.key"), to: files.key)
        }

        static func fixture(_ name: String) throws -> String {
            try String(contentsOf: .fixture("tls/\(name)"), encoding: .utf8)
        }

        func write(_ text: String, to path: String) throws {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
        }

        deinit { try? FileManager.default.removeItem(at: url) }
    }

    private func problem(_ files: CertificatePair.Files) -> CertificateProblem? {
        do {
            _ = try CertificatePair(files)
            return nil
        } catch {
            return error
        }
    }

    @Test func `A pair is read with its chain`() throws {
        let directory = try Directory()
        try directory.write(
            try Directory.fixture("server.pem") + Directory.fixture("authority.pem"), to: directory.files.certificate)
        let pair = try CertificatePair(directory.files)
        #expect(!pair.isOutdated)
        #expect(pair.expiry > 4_000_000_000)
    }

    @Test(arguments: [
        ("cert", "", "it contains no certificate"), ("cert", "garbage", "it contains no certificate"),
        ("cert", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "it contains no certificate"),
        ("key", "", "it contains no private key"),
        ("key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "is damaged"),
        (
            "key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "is encrypted with a passphrase, which is not supported"
        ),
        (
            "key",
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n",
            "is encrypted with a passphrase, which is not supported"
        ),
    ])
    func `What is wrong is said with the file`(which: String, content: String, reason: String) throws {
        let directory = try Directory()
        let path = which == "cert" ? directory.files.certificate : directory.files.key
        try directory.write(content, to: path)
        let problem = try #require(self.problem(directory.files))
        #expect(
            problem.message.hasPrefix("tls_\(which) = \(path) ") && problem.message.contains(reason),
            "\(problem.message)")
        // The folder's name is drawn, and may hold any four letters.
        #expect(!problem.fix.isEmpty && !problem.message.replacing(path, with: "").contains("AAAA"))
    }

    @Test func `A key of another certificate is no pair`() throws {
        let directory = try Directory()
        try directory.write(try Directory.fixture("authority.pem"), to: directory.files.certificate)
        #expect(problem(directory.files)?.message.contains("does not match the first certificate") == true)
    }

    @Test func `A file that is not there is named`() throws {
        let directory = try Directory()
        try FileManager.default.removeItem(atPath: directory.files.key)
        #expect(problem(directory.files)?.message == "the file \(directory.files.key) of tls_key does not exist")
    }

    @Test func `A renewed certificate is shown and a broken one is not`() async throws {
        let directory = try Directory()
        let certificate = ListenerCertificate()
        let first = try CertificatePair(directory.files)
        certificate.show(first)
        let watch = CertificateWatch(certificate: certificate, time: ManualTime().source, logger: .silent)
        #expect(watch.look(after: nil) == nil && certificate.current?.context === first.context, "nothing has changed")

        try directory.write("half written", to: directory.files.certificate)
        let complaint = try #require(watch.look(after: nil))
        #expect(complaint.contains("it contains no certificate") && certificate.current?.context === first.context)
        #expect(watch.look(after: complaint) == complaint, "it looks again")

        try directory.write(try Directory.fixture("server.pem"), to: directory.files.certificate)
        #expect(watch.look(after: complaint) == nil)
        #expect(certificate.current.map { $0.context !== first.context && !$0.isOutdated } == true)
    }

    @Test func `A reload that came in between is not undone`() throws {
        let directory = try Directory()
        let certificate = ListenerCertificate()
        let (first, second, third) = (
            try CertificatePair(directory.files), try CertificatePair(directory.files),
            try CertificatePair(directory.files)
        )
        certificate.show(first)
        #expect(certificate.show(second, insteadOf: first))
        #expect(!certificate.show(third, insteadOf: first) && certificate.current?.context === second.context)
    }

    @Test func `Without TLS there is nothing to look at`() {
        let watch = CertificateWatch(certificate: ListenerCertificate(), time: ManualTime().source, logger: .silent)
        #expect(watch.look(after: nil) == nil)
    }

    @Test(.timeLimit(.minutes(5))) func `It looks every two seconds`() async throws {
        let directory = try Directory()
        let certificate = ListenerCertificate()
        let first = try CertificatePair(directory.files)
        certificate.show(first)
        let time = ManualTime()
        let watch = CertificateWatch(certificate: certificate, time: time.source, logger: .silent)
        let running = Task { await watch.run() }
        await time.waitForSleepers()
        try directory.write(try Directory.fixture("server.pem") + "\n", to: directory.files.certificate)
        time.advance(by: .milliseconds(1900))
        #expect(certificate.current?.context === first.context)
        time.advance(by: .milliseconds(100))
        // The files are read on a thread of their own, and who sleeps meanwhile may be the one who watches over that.
        while certificate.current?.context === first.context { await Task.yield() }
        #expect(certificate.current.map { $0.context !== first.context } == true)
        running.cancel()
        await running.value
    }
}
