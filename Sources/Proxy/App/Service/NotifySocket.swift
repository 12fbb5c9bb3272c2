#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The datagram socket of `NOTIFY_SOCKET`: the few lines of libsystemd that a service needs.
final class NotifySocket: Sendable {
    private let descriptor: Int32
    private let address: Address

    /// A Unix socket's address as the kernel takes it: a path, or, written with `@` in front, a name that is in no directory.
    struct Address: Equatable, Sendable {
        /// `sun_path` without the zero byte that ends a path.
        let bytes: [UInt8]

        /// - Returns: nil for what is neither a path nor an abstract name, or too long for the kernel.
        init?(_ text: String) {
            var bytes = Array(text.utf8)
            switch bytes.first {
            case UInt8(ascii: "/"): break
            case UInt8(ascii: "@"): bytes[0] = 0
            default: return nil
            }
            // A path needs its zero byte as well.
            guard (2..<Self.capacity).contains(bytes.count) else { return nil }
            self.bytes = bytes
        }

        private static let capacity = MemoryLayout.size(ofValue: sockaddr_un().sun_path)

        /// Calls `body` with the kernel's form.
        fileprivate func withKernelForm<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
            var form = sockaddr_un()
            form.sun_family = sa_family_t(AF_UNIX)
            unsafe withUnsafeMutableBytes(of: &form.sun_path) { unsafe $0.copyBytes(from: bytes) }
            // The name of an abstract socket is all bytes up to the length.
            let length = MemoryLayout.size(ofValue: form.sun_family) + bytes.count + (bytes[0] == 0 ? 0 : 1)
            return unsafe withUnsafePointer(to: &form) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, socklen_t(length)) }
            }
        }
    }

    /// - Returns: nil when nothing can be sent there.
    init?(_ name: String) {
        guard let address = Address(name) else { return nil }
        self.address = address
        descriptor = socket(AF_UNIX, Self.datagram, 0)
        guard descriptor >= 0 else { return nil }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        // A manager that is busy is waited for, one that is stuck does not stop this process.
        var limit = timeval(tv_sec: 1, tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Sends one message. What cannot be sent is lost: the manager then judges by what it knows.
    func send(_ text: String) {
        let bytes = Array(text.utf8)
        unsafe address.withKernelForm { form, length in
            while unsafe sendto(descriptor, bytes, bytes.count, 0, form, length) < 0 {
                guard errno == EINTR else { return }
            }
        }
    }

    private static var datagram: Int32 {
        #if canImport(Glibc)
            Int32(SOCK_DGRAM.rawValue)
        #else
            SOCK_DGRAM
        #endif
    }
}
