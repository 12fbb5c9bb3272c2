import NIOCore
import NIOHTTP1

/// The way through an outbound proxy to a host that is spoken to by TLS (`CONNECT`, RFC 9110, 9.3.6).
struct ProxyTunnel {
    private let origin: Origin
    private let proxy: ProxyRules.Proxy
    private let loop: any EventLoop

    init(to origin: Origin, through proxy: ProxyRules.Proxy, on loop: any EventLoop) {
        self.origin = origin
        self.proxy = proxy
        self.loop = loop
    }

    /// Asks for the way. Then `channel` is what a connection to the origin would be.
    ///
    /// - Returns: fails with `TransportError.cannotConnect` when the proxy refuses.
    func dig(in channel: any Channel) -> EventLoopFuture<Void> {
        var head = HTTPRequestHead(
            version: .http1_1, method: .CONNECT, uri: origin.hostAndPort, headers: ["host": origin.hostAndPort])
        if let authorization = proxy.authorization {
            head.headers.add(name: "proxy-authorization", value: authorization)
        }
        let encoder = HTTPRequestEncoder()
        let decoder = ByteToMessageHandler(HTTPResponseDecoder(leftOverBytesStrategy: .forwardBytes))
        let answer = TunnelAnswer(
            on: loop, refusal: "\(proxy.origin.hostAndPort) refused a tunnel to \(origin.hostAndPort)")
        let pipeline = channel.pipeline.syncOperations
        do {
            try pipeline.addHandlers([encoder, decoder, answer])
            pipeline.write(NIOAny(HTTPClientRequestPart.head(head)), promise: nil)
            pipeline.writeAndFlush(NIOAny(HTTPClientRequestPart.end(nil)), promise: nil)
        } catch {
            return loop.makeFailedFuture(error)
        }
        return answer.granted.assumeIsolated().flatMap {
            let pipeline = channel.pipeline.syncOperations
            return pipeline.removeHandler(answer).and(pipeline.removeHandler(decoder)).and(
                pipeline.removeHandler(encoder)
            ).map { _ in }
        }.nonisolated()
    }
}

/// Waits for what the proxy says.
private final class TunnelAnswer: ConnectionStep {
    typealias InboundIn = HTTPClientResponsePart

    let promise: EventLoopPromise<Void>
    private let refusal: String

    init(on loop: any EventLoop, refusal: String) {
        promise = loop.makePromise()
        self.refusal = refusal
    }

    var granted: EventLoopFuture<Void> { promise.futureResult }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head) where !(200..<300).contains(head.status.code):
            let hint = head.status == .proxyAuthenticationRequired ? "; set user and password in HTTPS_PROXY" : ""
            promise.fail(TransportError.cannotConnect("\(refusal) with status \(head.status.code)\(hint)"))
        case .head, .body: break
        case .end: promise.succeed()
        }
    }
}
