#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Writing to a file descriptor without a buffer in between.
package enum StandardStream {
    package static let output: Int32 = 1
    package static let error: Int32 = 2

    /// Writes all of `text`. What cannot be written is lost: there is nowhere to complain about an output that is gone.
    ///
    /// - Returns: whether all of it has been written.
    @discardableResult
    package static func write(_ text: String, to descriptor: Int32) -> Bool {
        let view = text.utf8
        return write(view.span, to: descriptor)
    }

    /// The same of bytes. When not all of them have been written, `errno` says why.
    @discardableResult
    package static func write(_ bytes: Span<UInt8>, to descriptor: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let written = SystemCall.writeBytes(descriptor, rest)
            if written < 0, errno == EINTR { continue }
            if written < 0, errno == EAGAIN {
                // Whoever shares the file may have made it non-blocking (a terminal, a pipe).
                var room = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = unsafe poll(&room, 1, -1)
                continue
            }
            guard written > 0 else { return false }
            rest = rest.extracting(droppingFirst: written)
        }
        return true
    }
}
