import NIOCore
import NIOSSL

/// The certificate that the listener shows, with its chain, and the private key to it: read from their files at one moment.
struct CertificatePair: Sendable {
    /// Where the two stand.
    struct Files: Equatable, Sendable {
        let certificate: String
        let key: String
    }

    let files: Files
    /// What a connection needs.
    let context: NIOSSLContext
    /// The last second at which the certificate is valid, since 1970.
    let expiry: Int64
    /// Taken before the files were read, so that no change falls in between.
    private let stamps: [FileStamp]

    /// Reads both files.
    ///
    /// - Throws: a sentence that names the file, with which no certificate or no key to it can be had.
    init(_ files: Files) throws(CertificateProblem) {
        self.files = files
        stamps = [FileStamp(files.certificate), FileStamp(files.key)]
        let chain = try Self.chain(files.certificate)
        let key = try Self.key(files.key)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        // Many clients never answer the goodbye of a connection in their pool, and an end of the process waits for each.
        configuration.shutdownTimeout = .seconds(1)
        do {
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw CertificateProblem(
                message:
                    "tls_key = \(files.key) does not match the first certificate in tls_cert = \(files.certificate), or OpenSSL rejects the pair",
                fix:
                    "use the private key of this certificate, and put the server certificate before the CA certificates"
            )
        }
        expiry = chain.first.map { Int64($0.notValidAfter) } ?? 0
    }

    /// Whether one of the files has been written or replaced since.
    var isOutdated: Bool { stamps.contains(where: \.isOutdated) }

    private static func chain(_ path: String) throws(CertificateProblem) -> [NIOSSLCertificate] {
        let fix = "use a PEM file with the server certificate followed by the CA certificates"
        let bytes = try read(path, key: "tls_cert", fix: fix)
        guard let chain = try? NIOSSLCertificate.fromPEMBytes(bytes), !chain.isEmpty else {
            throw CertificateProblem(
                message: "tls_cert = \(path) cannot be used (it contains no certificate)", fix: fix)
        }
        return chain
    }

    private static func key(_ path: String) throws(CertificateProblem) -> NIOSSLPrivateKey {
        let fix = "use the PEM file of the certificate's private key"
        let bytes = try read(path, key: "tls_key", fix: fix)
        let text = String(decoding: bytes, as: UTF8.self)
        guard !text.contains("ENCRYPTED") else {
            throw CertificateProblem(
                message: "tls_key = \(path) is encrypted with a passphrase, which is not supported for tls_key",
                fix:
                    "remove the passphrase (openssl pkey -in KEY -out NEWKEY), and make the file readable by the proxy's user only"
            )
        }
        guard let key = try? NIOSSLPrivateKey(bytes: bytes, format: .pem) else {
            throw CertificateProblem(
                message:
                    "tls_key = \(path) cannot be used (\(text.contains("PRIVATE KEY-----") ? "its private key is damaged" : "it contains no private key"))",
                fix: fix)
        }
        return key
    }

    private static func read(_ path: String, key: String, fix: String) throws(CertificateProblem) -> [UInt8] {
        do {
            return try CredentialFile.read(path, what: key, fix: fix)
        } catch {
            throw CertificateProblem(message: error.message, fix: error.fix)
        }
    }
}
