import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Asks the kernel about one TCP socket of this machine (sock_diag(7)). It finds that by a hash of its addresses, so the answer costs some
/// microseconds, however many sockets there are.
enum SocketDiagnosis {
    enum Response: Equatable, Sendable {
        /// The user who owns the socket, which is connected.
        case owner(UInt32)
        /// There is no such socket, or it is not connected any more: the kernel writes 0, which is root, for one that its user has closed.
        case nobody
        /// This kernel does not answer such questions, or the process may not ask (`RestrictAddressFamilies=` without AF_NETLINK).
        case unavailable
    }

    /// Who owns the socket at `local` that is connected to `remote`. Both are IPv4, or both IPv6 and no mapped IPv4.
    static func owner(of local: SocketAddress, connectedTo remote: SocketAddress) -> Response {
        guard isAvailable else { return .unavailable }
        return switch ask(local, remote) {
        case .socket(let state, let owner) where state == established: .owner(owner)
        case .socket, .none: .nobody
        case .failed: .unavailable
        }
    }

    /// Who owns the socket that listens at `address`, be it on all addresses.
    static func ownerOfListener(at address: SocketAddress) -> Response {
        let all = address.packed?.count == 4 ? "0.0.0.0" : "::"
        guard isAvailable, let nobody = try? SocketAddress(ipAddress: all, port: 0) else { return .unavailable }
        return switch ask(address, nobody) {
        case .socket(let state, let owner) where state == listening: .owner(owner)
        case .socket, .none: .nobody
        case .failed: .unavailable
        }
    }

    /// Whether the kernel tells of a socket that is there. Without its module for TCP it says "no such file", as it does of a socket
    /// that is gone; so it is asked for one that listens.
    static let isAvailable: Bool = {
        #if os(Linux)
            let listener = socket(AF_INET, stream | closeOnExec, 0)
            guard listener >= 0 else { return false }
            defer { close(listener) }
            // A sockaddr_in: the family, the port, the address; the system chooses the port.
            var name: [UInt8] =
                bytes(of: UInt16(AF_INET)) + [0, 0, 127, 0, 0, 1]
                + [UInt8](repeating: 0, count: 8)
            var length = socklen_t(name.count)
            let isBound = unsafe name.withUnsafeMutableBytes { bytes in
                // A sockaddr has as many bytes as `name`, and the system is told how many these are.
                guard let address = unsafe bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else {
                    return false
                }
                return unsafe bind(listener, address, length) == 0 && listen(listener, 1) == 0
                    && getsockname(listener, address, &length) == 0
            }
            guard isBound, let own = try? SocketAddress(ipAddress: "127.0.0.1", port: Int(name[2]) << 8 | Int(name[3])),
                let nobody = try? SocketAddress(ipAddress: "0.0.0.0", port: 0)
            else { return false }
            if case .socket = ask(own, nobody) { return true }
        #endif
        return false
    }()

    private enum Reply {
        case socket(state: UInt8, owner: UInt32)
        case none
        case failed
    }

    // Of linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h and net/tcp_states.h, which Swift does not import.
    private static let (established, listening) = (UInt8(1), UInt8(10))
    private static let (netlink, diagnosis) = (Int32(16), Int32(4))
    private static let (raw, stream, closeOnExec) = (Int32(3), Int32(1), Int32(0o2000000))
    private static let doNotWait: Int32 = 0x40
    private static let (byFamily, errorMessage, isRequest) = (UInt16(20), UInt16(2), UInt16(1))
    private static let tcp: UInt8 = 6
    /// Bytes of a `nlmsghdr`, and of the `inet_diag_req_v2` behind it.
    private static let (header, question) = (16, 56)

    private static func ask(_ local: SocketAddress, _ remote: SocketAddress) -> Reply {
        #if os(Linux)
            guard var message = message(local, remote) else { return .failed }
            let socket = socket(netlink, raw | closeOnExec, diagnosis)
            guard socket >= 0 else { return .failed }
            defer { close(socket) }
            // Without an address: to the kernel, which has written its answer when this returns.
            // It is given the message and no more; the reply is cut to its array.
            guard unsafe send(socket, &message, message.count, 0) == message.count else { return .failed }
            var reply = [UInt8](repeating: 0, count: 512)
            let count = unsafe recv(socket, &reply, reply.count, doNotWait)
            guard count >= header + 4 else { return .failed }
            switch number(at: 4, of: reply, as: UInt16.self) {
            case errorMessage: return number(at: header, of: reply, as: Int32.self) == -ENOENT ? .none : .failed
            case byFamily where count >= header + 72:
                // inet_diag_msg: family, state, timer, retransmissions; the addresses (48); expiry, two queues; the user.
                guard reply[header + 4..<header + 8].elementsEqual(message[header + 8..<header + 12]) else {
                    return .none
                }
                return .socket(
                    state: reply[header + 1], owner: number(at: header + 64, of: reply, as: UInt32.self))
            default: return .failed
            }
        #else
            return .failed
        #endif
    }

    /// The bytes of a number in the order in which this machine keeps them.
    private static func bytes(of number: some FixedWidthInteger) -> [UInt8] {
        (0..<number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number.littleEndian >> (8 * $0)) }
    }

    /// A number as this machine keeps it in memory.
    private static func number<Number: FixedWidthInteger & BitwiseCopyable>(
        at place: Int, of bytes: [UInt8], as type: Number.Type
    ) -> Number {
        // It is looked whether so many bytes are there, and every pattern of bits is a number.
        unsafe bytes.span.bytes.unsafeLoadUnaligned(fromByteOffset: place, as: type)
    }

    /// One message: `nlmsghdr`, then `inet_diag_req_v2` with the exact addresses and no cookie.
    private static func message(_ local: SocketAddress, _ remote: SocketAddress) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(header + question)
        func append(_ value: some FixedWidthInteger) { bytes += Self.bytes(of: value) }
        guard let from = local.packed, let to = remote.packed, from.count == to.count,
            let (sender, receiver) = ports(local, remote)
        else { return nil }
        append(UInt32(header + question))
        append(byFamily)
        append(isRequest)
        append(UInt32(1))
        append(UInt32(0))
        bytes += [UInt8(from.count == 4 ? AF_INET : AF_INET6), tcp, 0, 0]
        append(UInt32.max)
        append(sender.bigEndian)
        append(receiver.bigEndian)
        bytes += from + [UInt8](repeating: 0, count: 16 - from.count)
        bytes += to + [UInt8](repeating: 0, count: 16 - to.count)
        append(UInt32(0))
        append(UInt64.max)
        return bytes
    }

    private static func ports(_ local: SocketAddress, _ remote: SocketAddress) -> (UInt16, UInt16)? {
        guard let local = local.port.flatMap(UInt16.init(exactly:)),
            let remote = remote.port.flatMap(UInt16.init(exactly:))
        else { return nil }
        return (local, remote)
    }
}

extension SocketAddress {
    /// The 4 or 16 bytes of the IP address, as they go over the wire; nil for a Unix socket.
    var packed: [UInt8]? {
        switch self {
        // Behind family and port; of IPv6, a label of the flow is in between. Both structures are larger than what is read of them.
        case .v4:
            unsafe withSockAddr { address, _ in
                unsafe Array(UnsafeRawBufferPointer(start: UnsafeRawPointer(address) + 4, count: 4))
            }
        case .v6:
            unsafe withSockAddr { address, _ in
                unsafe Array(UnsafeRawBufferPointer(start: UnsafeRawPointer(address) + 8, count: 16))
            }
        case .unixDomainSocket: nil
        }
    }
}
