#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file with a token, a key or a certificate, read anew each time it is wanted.
enum CredentialFile {
    /// What is read at most.
    static let largest = 256 << 10

    /// The whole file.
    ///
    /// - Parameter what: how messages call it, such as "the session token".
    static func read(_ path: String, what: String, mend: String) throws(CredentialFailure) -> [UInt8] {
        func failure(_ code: Int32) -> CredentialFailure {
            let reason =
                switch code {
                case ENOENT, ENOTDIR: "does not exist"
                case EACCES, EPERM: "may not be read"
                case EISDIR: "is a directory"
                default: "cannot be read: \(String(cString: strerror(code)))"
                }
            return CredentialFailure("the file \(path) of \(what) \(reason)", mend: mend)
        }
        guard let file = fopen(path, "re") else { throw failure(errno) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            errno = 0
            let count = fread(&chunk, 1, chunk.count, file)
            bytes += chunk.prefix(count)
            guard bytes.count <= largest else {
                throw CredentialFailure("the file \(path) of \(what) is larger than \(largest >> 10) KiB", mend: mend)
            }
            if count == chunk.count { continue }
            if ferror(file) == 0 { return bytes }
            if errno != EINTR { throw failure(errno) }
            clearerr(file)
        }
    }
}

/// How a file looks from outside. Another stamp means that it has been written or replaced.
struct FileStamp: Equatable, Sendable {
    let path: String
    private let inode: UInt64
    private let size: Int64
    private let seconds: Int64
    private let nanoseconds: Int64

    /// A file that is not there has a stamp as well, of zeros.
    init(_ path: String) {
        self.path = path
        var status = stat()
        guard stat(path, &status) == 0 else {
            (inode, size, seconds, nanoseconds) = (0, 0, 0, 0)
            return
        }
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        #if canImport(Darwin)
            let modified = status.st_mtimespec
        #else
            let modified = status.st_mtim
        #endif
        seconds = Int64(modified.tv_sec)
        nanoseconds = Int64(modified.tv_nsec)
    }

    /// Whether the file looks otherwise now.
    var isOutdated: Bool { FileStamp(path) != self }
}
