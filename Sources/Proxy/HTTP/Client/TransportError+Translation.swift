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

/// What NIO says, in the terms that a user understands and the router acts upon.
extension TransportError {
    /// While a connection to `origin` was being made.
    static func whileConnecting(to origin: Origin, _ error: any Error) -> any Error {
        switch error {
        case is CancellationError, is TransportError: return error
        case let error as NIOConnectionError: return TransportError.cannotConnect(describe(error))
        case let error as IOError: return TransportError.cannotConnect("\(origin.hostAndPort): \(describe(error))")
        case let error as ChannelError:
            if case .connectTimeout = error { return TransportError.connectTimeout }
            return TransportError.cannotConnect("\(origin.hostAndPort): the upstream closed the connection")
        default:
            let translated = whileExchanging(error)
            if case TransportError.connectionLost(let reason) = translated {
                return TransportError.cannotConnect("\(origin.hostAndPort): \(reason)")
            }
            return translated
        }
    }

    /// While a request was written or its answer read.
    static func whileExchanging(_ error: any Error) -> any Error {
        switch error {
        case is CancellationError, is TransportError: return error
        // The connection ended inside the answer.
        case HTTPParserError.invalidEOFState: return closed
        case HTTPParserError.headerOverflow: return headTooLarge
        case let error as HTTPParserError: return TransportError.malformedAnswer("\(error)")
        case is NIOHTTPDecoderError: return TransportError.malformedAnswer("it belongs to no request")
        case let error as NIOHTTPDecompression.DecompressionError:
            return TransportError.malformedAnswer("it cannot be decompressed: \(error)")
        case let error as NIOHTTPDecompression.ExtraDecompressionError:
            return TransportError.malformedAnswer("it cannot be decompressed: \(error)")
        // How TLS says that the connection ended without a goodbye, which some have made it a habit to leave out.
        case NIOSSLError.uncleanShutdown: return closed
        case let error as NIOSSLError: return TransportError.tls(words(of: "\(error)"))
        case let error as BoringSSLError: return TransportError.tls(words(of: "\(error)"))
        case let error as NIOSSLExtraError: return TransportError.tls("\(error)")
        case let error as IOError: return TransportError.connectionLost(describe(error))
        case is ChannelError: return closed
        default: return TransportError.connectionLost(String(describing: type(of: error)))
        }
    }

    /// What BoringSSL says, without the places in its sources: its reasons in capital letters, and what the usual ones mean.
    static func words(of description: String) -> String {
        let reasons = description.components(behind: "OPENSSL_internal:").map { text in
            String(text.prefix { $0 == "_" || $0.isUppercase || $0.isNumber })
        }
        guard !reasons.isEmpty else { return description }
        return reasons.map { reason in
            switch reason {
            case "CERTIFICATE_VERIFY_FAILED": "its certificate is not one that is trusted here (\(reason))"
            case "WRONG_VERSION_NUMBER", "HTTP_REQUEST": "the other side does not speak TLS (\(reason))"
            default: reason
            }
        }.joined(separator: ", ")
    }

    private static func describe(_ error: NIOConnectionError) -> String {
        if error.connectionErrors.isEmpty, let dns = error.dnsAError ?? error.dnsAAAAError {
            return "the host name \(error.host) cannot be resolved (\(type(of: dns)))"
        }
        let reasons = error.connectionErrors.map {
            ($0.error as? IOError).map(describe) ?? String(describing: $0.error)
        }
        return reasons.first.map { "\(error.host):\(error.port): \($0)" }
            ?? "\(error.host):\(error.port) cannot be reached"
    }

    private static func describe(_ error: IOError) -> String {
        switch error.errnoCode {
        case ECONNREFUSED: "connection refused"
        case ECONNRESET: "connection reset by the upstream"
        case EHOSTUNREACH, ENETUNREACH: "no route to the host"
        case ETIMEDOUT: "the connection timed out"
        case EPIPE: "the upstream closed the connection"
        case ENOENT: "no such file"
        case EACCES, EPERM: "permission denied"
        default: "system error \(error.errnoCode)"
        }
    }
}

extension String {
    /// What stands behind each place of a mark, to the next one.
    fileprivate func components(behind mark: String) -> [Substring] {
        var parts: [Substring] = []
        var rest = self[...]
        while let found = rest.firstRange(of: mark) {
            rest = rest[found.upperBound...]
            parts.append(rest.firstRange(of: mark).map { rest[..<$0.lowerBound] } ?? rest)
        }
        return parts
    }
}
