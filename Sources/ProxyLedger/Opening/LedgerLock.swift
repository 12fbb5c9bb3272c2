import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Keeps a directory's ledger for one process: `flock` on a file of its own, which holds the number of the process that has it.
///
/// It is never on the database's file: closing any descriptor of that would drop the locks that SQLite holds there.
final class LedgerLock: Sendable {
    private let directory: String
    private let path: String
    private let descriptor: Mutex<Int32?>

    /// - Throws: `LedgerError` when another process has it, or the file cannot be made.
    init(directory: String, path: String) throws {
        self.directory = directory
        self.path = path
        descriptor = Mutex(try Self.locked(directory, path))
    }

    /// Takes it anew where its file has been removed: another process could have made one of its own.
    ///
    /// - Throws: as `init`. It is nobody's then.
    func renew() throws {
        try descriptor.withLock { descriptor in
            if let number = descriptor {
                let ours = FileIdentity(descriptor: number)
                if ours != nil, ours == FileIdentity(path: path) { return }
                _ = close(number)
                descriptor = nil
            }
            descriptor = try Self.locked(directory, path)
        }
    }

    private static func locked(_ directory: String, _ path: String) throws -> Int32 {
        guard let number = try FilePlace(title: "The lock file", path: path).open(O_RDWR | O_CREAT) else {
            throw LedgerError(
                .unusable,
                "The lock file \(path) cannot be made or opened (\(SystemError.current)): "
                    + "make its directory writable for this user, or set another state_dir.")
        }
        guard flock(number, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            let holder = Self.holder(number)
            _ = close(number)
            guard reason == EWOULDBLOCK else {
                throw LedgerError(
                    .unusable,
                    "The lock file \(path) cannot be locked (\(SystemError(reason))): state_dir must be on a local disk, "
                        + "not on a network's.")
            }
            throw LedgerError(
                .inUse,
                "The ledger in \(directory) is in use by "
                    + (holder.map { "process \($0)" } ?? "another process")
                    + ": stop that process, or give this one another state_dir.", holder: holder)
        }
        let text = Array("\(getpid())\n".utf8)
        _ = ftruncate(number, 0)
        _ = unsafe text.withUnsafeBytes { unsafe pwrite(number, $0.baseAddress, $0.count, 0) }
        return number
    }

    deinit { release() }

    /// Gives it back. The file stays, empty: whoever waits for it has it open, and a new one would be another file.
    func release() {
        guard let number = descriptor.withLock({ $0.take() }) else { return }
        _ = ftruncate(number, 0)
        _ = close(number)
    }

    private static func holder(_ number: Int32) -> Int? {
        var text = [UInt8](repeating: 0, count: 24)
        let count = unsafe text.withUnsafeMutableBytes { unsafe pread(number, $0.baseAddress, $0.count, 0) }
        guard count > 0 else { return nil }
        return Int(String(decoding: text[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }
}

/// What the system says of its last failure.
struct SystemError: CustomStringConvertible {
    let number: Int32

    init(_ number: Int32) { self.number = number }

    static var current: SystemError { SystemError(errno) }

    var description: String { unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)" }
}
