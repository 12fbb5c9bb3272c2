import NIOCore
import NIOPosix
import NIOSSL

/// How connections are made: TCP, an outbound proxy where there is one, and TLS.
struct Connector: Sendable {
    let timeout: TimeAmount
    let tls: NIOSSLContext
    /// The only one that the other side may show.
    let certificate: NIOSSLCertificate?
    let proxies: ProxyRules
    let unixSocket: String?
    let unpackedLimit: Int?
    let crossing: TimeAmount

    /// - Throws: when the authorities are no certificates.
    init(
        timeout: TimeAmount, authorities: AuthorityFile?, certificate: AuthorityFile? = nil, proxies: ProxyRules,
        unixSocket: String? = nil, unpackedLimit: Int?, crossing: TimeAmount
    ) throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let authorities {
            configuration.additionalTrustRoots = [
                .certificates(try NIOSSLCertificate.fromPEMBytes(authorities.content))
            ]
        }
        // Where one certificate alone counts, its name says nothing more.
        if certificate != nil { configuration.certificateVerification = .noHostnameVerification }
        configuration.applicationProtocols = ["http/1.1"]
        tls = try NIOSSLContext(configuration: configuration)
        self.certificate = try certificate.flatMap { try NIOSSLCertificate.fromPEMBytes($0.content).first }
        self.unixSocket = unixSocket
        self.timeout = timeout
        self.proxies = proxies
        self.unpackedLimit = unpackedLimit
        self.crossing = crossing
    }

    /// A proxy that plain requests are handed to, as they are.
    func forwarder(for origin: Origin) -> ProxyRules.Proxy? {
        origin.isTLS ? nil : proxies.proxy(for: origin)
    }
}
