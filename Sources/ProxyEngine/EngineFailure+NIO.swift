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
            case let error as IOError: .unreachable(Self.words(of: error))
            case let error as NIOSSLError: .tls("\(error)")
            case let error as BoringSSLError: .tls("\(error)")
            case ChannelError.connectTimeout: .timedOut
            case is ChannelError: .closed
            default: .unreachable("\(error)")
            }
    }

    private static func of(_ error: NIOConnectionError) -> EngineFailure {
        if error.connectionErrors.isEmpty { return .unreachable("the host name \(error.host) cannot be resolved") }
        return error.connectionErrors.first.map { EngineFailure($0.error) } ?? .closed
    }

    private static func words(of error: IOError) -> String {
        switch error.errnoCode {
        case ECONNREFUSED: "connection refused"
        case ENOENT: "there is no such socket"
        case EACCES: "permission denied"
        case EHOSTUNREACH, ENETUNREACH: "no route to the host"
        default: "\(error)"
        }
    }
}
