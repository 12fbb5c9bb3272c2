import NIOCore
import NIOPosix
import NIOSSL
import ProxyCluster

extension EngineFailure {
    /// What an error of NIO means.
    init(_ error: any Error) {
        self =
            switch error {
            case let error as EngineFailure: error
            case let error as NIOConnectionError: Self.of(error)
            case let error as IOError: Self.of(error)
            // How TLS says that the connection ended without a goodbye.
            case NIOSSLError.uncleanShutdown: .closed
            case let error as NIOSSLError: .tls(Self.words(ofTLS: "\(error)"))
            case let error as BoringSSLError: .tls(Self.words(ofTLS: "\(error)"))
            case let error as NIOSSLExtraError where error == .failedToValidateHostname:
                .tls("its certificate is not for this host name")
            case let error as NIOSSLExtraError: .tls("\(error)")
            case ChannelError.connectTimeout: .timedOut
            case is ChannelError, is CancellationError: .closed
            case SocketAddressError.unixDomainSocketPathTooLong: .unreachable("the path of its socket is too long")
            default: .unreachable("\(error)")
            }
    }

    private static func of(_ error: NIOConnectionError) -> EngineFailure {
        if error.connectionErrors.isEmpty { return .unreachable("the host name \(error.host) cannot be resolved") }
        return error.connectionErrors.first.map { EngineFailure($0.error) } ?? .closed
    }

    private static func of(_ error: IOError) -> EngineFailure {
        switch error.errnoCode {
        case ECONNRESET, EPIPE: .closed
        case ETIMEDOUT: .timedOut
        case ECONNREFUSED: .unreachable("connection refused")
        case ENOENT: .unreachable("there is no such socket")
        case EACCES, EPERM: .unreachable("permission denied")
        case EHOSTUNREACH, ENETUNREACH: .unreachable("no route to the host")
        default: .unreachable("system error \(error.errnoCode)")
        }
    }

    /// What BoringSSL says is long, and has its reason in capital letters.
    private static func words(ofTLS description: String) -> String {
        if description.contains("CERTIFICATE_VERIFY_FAILED") {
            return "its certificate is not from an authority that is trusted here (ca_file)"
        }
        if description.contains("WRONG_VERSION_NUMBER") || description.contains("HTTP_REQUEST") {
            return "it does not speak TLS: the address must begin with redis://"
        }
        if description.contains("EOF during handshake") { return "it closed the connection" }
        guard let mark = description.firstRange(of: "OPENSSL_internal:") else {
            return String(description.prefix(200))
        }
        return String(description[mark.upperBound...].prefix { $0 == "_" || $0.isUppercase || $0.isNumber })
    }
}
