#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Reads a regular file, and nothing else: a pipe would be waited for without end, a device has none.
package enum RegularFile {
    /// A file as it was when it was opened.
    package struct Contents: Sendable {
        package let bytes: [UInt8]
        /// Type and permission bits.
        package let mode: UInt32
        package let owner: UInt32
        package let group: UInt32
    }

    /// Why there are no bytes.
    package enum Failure: Error, Equatable {
        /// The `errno` of opening or reading.
        case system(Int32)
        case directory
        /// What it is in place of a file, with its article.
        case other(String)
        case tooLarge
    }

    /// The whole file. Waits for nobody but the file system.
    ///
    /// - Parameter limit: bytes that it may have.
    package static func read(_ path: String, upTo limit: Int) throws(Failure) -> Contents {
        // Without O_NONBLOCK, opening a pipe waits for somebody who writes; to regular files it means nothing.
        let descriptor = SystemCall.openFile(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else {
            throw errno == ENXIO ? .other("a socket or a device without a driver") : .system(errno)
        }
        defer { close(descriptor) }
        // Of the opened file, not of the path, which may lead elsewhere by now.
        guard let status = SystemCall.status(ofDescriptor: descriptor) else { throw .system(errno) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw .directory
        case S_IFIFO: throw .other("a named pipe")
        case S_IFSOCK: throw .other("a socket")
        default: throw .other("a device")
        }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = SystemCall.readBytes(descriptor, &chunk)
            if count < 0, errno == EINTR { continue }
            if count < 0 { throw .system(errno) }
            if count == 0 { break }
            bytes += chunk[..<count]
            if bytes.count > limit { throw .tooLarge }
        }
        return Contents(
            bytes: bytes, mode: UInt32(status.st_mode), owner: UInt32(status.st_uid), group: UInt32(status.st_gid))
    }
}
