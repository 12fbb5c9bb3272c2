import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOPosix
import NIOSSL

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The transport over async-http-client, HTTP/1.1 only.
///
/// HTTP/2 costs twice as much CPU per request in this client (docs/decisions/0004-upstream-transport.md) and would
/// put all streams of an account on one connection.
struct AsyncHTTPClientTransport: HTTPTransport {
    private let client: HTTPClient

    struct Options: Hashable, Sendable {
        /// How long a connection may take to be ready, TLS included.
        var connectTimeout = TimeAmount.seconds(10)
        /// How long an unused connection is kept.
        var idleTimeout = TimeAmount.seconds(50)
        /// Answers that come compressed are unpacked, up to this many bytes each; nil: they are never asked for.
        var unpackedLimit: Int?
        /// Further certificate authorities; nil for the system's alone.
        var authorities: AuthorityFile?
    }

    /// More than requests can be in flight (`global_max_concurrency`): what is beyond its bound the client queues behind our back.
    private static let connectionsPerHost = 100_100

    /// - Parameter group: the event loops of the front end, so that both sides share threads.
    /// - Throws: when the authorities are no certificates.
    init(group: any EventLoopGroup, options: Options) throws {
        var tls = TLSConfiguration.makeClientConfiguration()
        if let authorities = options.authorities {
            tls.additionalTrustRoots = [.certificates(try NIOSSLCertificate.fromPEMBytes(authorities.content))]
        }
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: tls,
            redirectConfiguration: .disallow,
            timeout: .init(connect: options.connectTimeout),
            decompression: options.unpackedLimit.map { .enabled(limit: .size($0)) } ?? .disabled)
        configuration.httpVersion = .http1Only
        configuration.connectionPool.idleTimeout = options.idleTimeout
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Self.connectionsPerHost
        // A refused connection is for the router to act upon, at once.
        configuration.connectionPool.retryConnectionEstablishment = false
        client = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
    }

    func send(_ request: TransportRequest) async throws -> TransportResponse {
        var outgoing = HTTPClientRequest(url: request.url)
        outgoing.method = request.method
        outgoing.headers = request.headers
        if let body = request.body { outgoing.body = .bytes(body) }
        do {
            // Deadlines are the caller's: it cancels the task.
            let response = try await client.execute(outgoing, deadline: .distantFuture)
            return TransportResponse(
                status: Int(response.status.code), headers: response.headers, body: TranslatedErrors(upstream: response.body))
        } catch {
            throw Self.translate(error)
        }
    }

    /// Closes its connections. Nothing may be sent afterwards.
    func shutdown() async throws { try await client.shutdown() }

    private static func translate(_ error: any Error) -> any Error {
        switch error {
        case is CancellationError: return CancellationError()
        case let error as HTTPClientError:
            switch error {
            case .cancelled: return CancellationError()
            case .connectTimeout: return TransportError.connectTimeout
            case .tlsHandshakeTimeout: return TransportError.tls("the handshake took too long")
            case .remoteConnectionClosed: return TransportError.connectionLost("the upstream closed the connection")
            default: return TransportError.connectionLost(error.shortDescription)
            }
        case let error as NIOConnectionError: return TransportError.cannotConnect(describe(error))
        // The connection ended inside the answer.
        case HTTPParserError.invalidEOFState: return TransportError.connectionLost("the upstream closed the connection")
        case let error as HTTPParserError: return TransportError.malformedAnswer("\(error)")
        case let error as NIOSSLError: return TransportError.tls("\(error)")
        case let error as BoringSSLError: return TransportError.tls("\(error)")
        case let error as IOError:
            // An address that needs no name look-up fails with the bare error of `connect`.
            let isConnect = [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH].contains(error.errnoCode)
            return isConnect ? TransportError.cannotConnect(describe(error)) : TransportError.connectionLost(describe(error))
        case let error as ChannelError:
            if case .connectTimeout = error { return TransportError.connectTimeout }
            return TransportError.connectionLost("\(error)")
        default: return TransportError.connectionLost(String(describing: type(of: error)))
        }
    }

    private static func describe(_ error: NIOConnectionError) -> String {
        if let dns = error.dnsAError ?? error.dnsAAAAError, error.connectionErrors.isEmpty {
            return "the host name \(error.host) cannot be resolved (\(type(of: dns)))"
        }
        let reasons = error.connectionErrors.map { ($0.error as? IOError).map(describe) ?? String(describing: $0.error) }
        return reasons.first.map { "\(error.host):\(error.port): \($0)" } ?? "\(error.host):\(error.port) cannot be reached"
    }

    private static func describe(_ error: IOError) -> String {
        switch error.errnoCode {
        case ECONNREFUSED: "connection refused"
        case ECONNRESET: "connection reset by the upstream"
        case EHOSTUNREACH, ENETUNREACH: "no route to the host"
        case ETIMEDOUT: "the network timed out"
        case EPIPE: "the upstream closed the connection"
        default: "error \(error.errnoCode) of the system"
        }
    }

    /// The client's body with our errors.
    private struct TranslatedErrors: AsyncSequence, Sendable {
        let upstream: HTTPClientResponse.Body

        struct AsyncIterator: AsyncIteratorProtocol {
            var upstream: HTTPClientResponse.Body.AsyncIterator

            mutating func next() async throws -> ByteBuffer? {
                do {
                    return try await upstream.next()
                } catch {
                    throw AsyncHTTPClientTransport.translate(error)
                }
            }
        }

        func makeAsyncIterator() -> AsyncIterator { AsyncIterator(upstream: upstream.makeAsyncIterator()) }
    }
}
