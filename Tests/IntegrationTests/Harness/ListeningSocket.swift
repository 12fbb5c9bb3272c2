import Foundation
import Testing

/// A listening socket as a service manager makes one for a `.socket` unit.
final class ListeningSocket: Sendable {
    let descriptor: Int32

    private init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// At a free port of 127.0.0.1 or ::1.
    static func internet(_ family: Int32 = AF_INET) throws -> ListeningSocket {
        let result = ListeningSocket(socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
        let status: Int32
        if family == AF_INET {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            status = withUnsafePointer(to: &address) {
                bind(result.descriptor, UnsafeRawPointer($0).assumingMemoryBound(to: sockaddr.self), 16)
            }
        } else {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_addr = in6addr_loopback
            status = withUnsafePointer(to: &address) {
                bind(result.descriptor, UnsafeRawPointer($0).assumingMemoryBound(to: sockaddr.self), 28)
            }
        }
        try #require(status == 0 && listen(result.descriptor, 4096) == 0)
        return result
    }

    /// Where an IPv4 socket listens.
    var port: Int {
        get throws {
            var address = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let status = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
            }
            try #require(status == 0)
            return Int(UInt16(bigEndian: address.sin_port))
        }
    }

    /// How many may wait to be accepted: of a listening socket `TCP_INFO` tells that in the place of `tcpi_sacked`.
    var backlog: UInt32 {
        get throws {
            var facts = [UInt32](repeating: 0, count: 64)
            var length = socklen_t(facts.count * 4)
            try #require(getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, &facts, &length) == 0)
            return facts[7]
        }
    }

    static func unix(_ path: String) throws -> ListeningSocket {
        let result = ListeningSocket(socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let status = withUnsafePointer(to: &address) {
            bind(result.descriptor, UnsafeRawPointer($0).assumingMemoryBound(to: sockaddr.self), length)
        }
        try #require(status == 0 && listen(result.descriptor, 16) == 0)
        return result
    }
}

extension Program {
    /// The proxy with the sockets in place of a port, as systemd starts it for a socket unit.
    static func activated(_ config: URL, _ sockets: [Int32], names: String = "") throws -> Program {
        try Program(
            "ociai-proxy", ["-config", config.path],
            environment: ["LISTEN_FDS": "\(sockets.count)", "LISTEN_FDNAMES": names], sockets: sockets,
            prelude: "export LISTEN_PID=$$")
    }
}
