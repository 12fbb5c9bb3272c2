#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Keeps a port of an address for ourselves while nobody listens on it: connections are refused, and no other listener is
/// given the port in the meantime.
final class PortReservation: Sendable {
    private let socket: Int32

    /// - Parameter host: an IPv4 literal.
    /// - Returns: nil when the port cannot be had.
    init?(host: String, port: Int) {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(truncatingIfNeeded: port).bigEndian
        #if canImport(Glibc)
            let stream = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        #else
            let stream = SOCK_STREAM
        #endif
        guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else { return nil }
        socket = Self.open(stream)
        guard socket >= 0 else { return nil }
        // Connections of the listener that was here may linger; but from now on nobody shares the port with us.
        set(SO_REUSEADDR, to: 1)
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isBound else { return nil }
        set(SO_REUSEADDR, to: 0)
    }

    deinit {
        if socket >= 0 { close(socket) }
    }

    private static func open(_ type: Int32) -> Int32 {
        #if canImport(Glibc)
            Glibc.socket(AF_INET, type, 0)
        #elseif canImport(Musl)
            Musl.socket(AF_INET, type, 0)
        #else
            Darwin.socket(AF_INET, type, 0)
        #endif
    }

    private func set(_ option: Int32, to value: Int32) {
        var value = value
        setsockopt(socket, SOL_SOCKET, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }
}
