import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOPosix
import NIOSSL

/// How connections are made: TCP, an outbound proxy where there is one, TLS, and the handlers that speak HTTP.
struct Connector: Sendable {
    let timeout: TimeAmount
    let tls: NIOSSLContext
    let proxies: ProxyRules
    let unpackedLimit: Int?
    let staleAfter: TimeAmount

    /// - Throws: when the authorities are no certificates.
    init(timeout: TimeAmount, authorities: AuthorityFile?, proxies: ProxyRules, unpackedLimit: Int?, staleAfter: TimeAmount) throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let authorities {
            configuration.additionalTrustRoots = [.certificates(try NIOSSLCertificate.fromPEMBytes(authorities.content))]
        }
        configuration.applicationProtocols = ["http/1.1"]
        tls = try NIOSSLContext(configuration: configuration)
        self.timeout = timeout
        self.proxies = proxies
        self.unpackedLimit = unpackedLimit
        self.staleAfter = staleAfter
    }

    /// A proxy that plain requests are handed to, as they are.
    func forwarder(for origin: Origin) -> ProxyRules.Proxy? {
        origin.isTLS ? nil : proxies.proxy(for: origin)
    }

    /// Makes a channel that is connected into one that speaks HTTP, with `connection` at its end.
    func addHandlers(to channel: any Channel, before connection: UpstreamConnection) throws {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderListSize = AnswerLimits.head
        limits.maxHeaderFieldSize = AnswerLimits.head
        limits.maxHeaderFieldCount = AnswerLimits.fields
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(ArrivalWatch(connection))
        try pipeline.addHandler(connection.writer)
        try pipeline.addHandler(ByteToMessageHandler(HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .drop, limitConfiguration: limits)))
        if let unpackedLimit {
            try pipeline.addHandler(NIOHTTPResponseDecompressor(limit: .size(unpackedLimit)))
        }
        try pipeline.addHandler(connection)
    }
}
