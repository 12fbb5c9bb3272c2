#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A listening socket that the service manager has made and handed over (socket activation, sd_listen_fds(3)). It stays open over there,
/// so that between two lives of this process nobody is refused: the kernel keeps who comes for the next one.
struct InheritedSocket: Equatable, Sendable {
    let descriptor: Int32
    /// `FileDescriptorName=` of the socket unit.
    let name: String

    /// What the kernel says about a descriptor.
    struct Facts: Equatable, Sendable {
        var isStream: Bool
        var isListening: Bool
        /// IPv4, IPv6 or Unix.
        var isOfKnownFamily: Bool

        /// Why nobody can connect there; nil when they can.
        var objection: String? {
            if !isStream { return "it is not a stream socket: use ListenStream= in the socket unit" }
            if !isOfKnownFamily {
                return "its address is not IPv4, IPv6 or a Unix path: set ListenStream= to one of these"
            }
            if !isListening { return "it is not listening: use a socket unit with Accept=no" }
            return nil
        }
    }

    /// Makes sure that clients can connect to the socket, and that no child process inherits it in turn.
    ///
    /// - Throws: `ExitError` that says what it is instead.
    func prepare() throws(ExitError) {
        let objection =
            facts.map(\.objection) ?? "it is not an open socket: LISTEN_FDS is larger than the number of sockets passed"
        if let objection {
            throw ExitError(
                .cannotBind,
                "cannot listen on descriptor \(descriptor) (\(name)) from the service manager: \(objection)")
        }
        let flags = fcntl(descriptor, F_GETFD)
        guard flags >= 0, fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC) == 0 else {
            throw ExitError(
                .cannotBind, "cannot listen on descriptor \(descriptor) (\(name)): \(SystemCall.message(errno))")
        }
    }

    /// How many clients may wait in the kernel to be accepted. Where it cannot be changed, it stays as it is.
    func setBacklog(_ count: Int32) { _ = listen(descriptor, count) }

    /// Nil when the descriptor is no open socket.
    private var facts: Facts? {
        guard let type = option(SO_TYPE), let listens = option(SO_ACCEPTCONN) else { return nil }
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        // A `sockaddr_storage` has room for every address, and the system is told how much that is.
        let isNamed = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length) == 0
            }
        }
        return Facts(
            isStream: type == Self.stream, isListening: listens != 0,
            isOfKnownFamily: isNamed && [AF_INET, AF_INET6, AF_UNIX].contains(Int32(address.ss_family)))
    }

    private func option(_ name: Int32) -> Int32? {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return unsafe getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 ? value : nil
    }

    private static var stream: Int32 {
        #if canImport(Glibc)
            Int32(SOCK_STREAM.rawValue)
        #else
            SOCK_STREAM
        #endif
    }
}
