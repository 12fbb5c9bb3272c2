#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A place where one of our files is, or is to be. Something else there, such as a named pipe, would keep whoever opens it for ever, or be taken for what it is not.
struct FilePlace {
    /// What is to be there, as a sentence begins: "The lock file".
    let title: String
    let path: String

    /// Where there is something, it has to be a file, or a link to one.
    ///
    /// - Throws: `LedgerError`. What cannot be looked at is left to whoever opens it.
    func demand() throws {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return }
        try demand(status)
    }

    /// Opens it and never waits for that.
    ///
    /// - Returns: a descriptor, which the caller closes; nil when the system refuses, for the reason that `SystemError.current` has.
    /// - Throws: `LedgerError` when it is something else than a file.
    func open(_ flags: Int32) throws -> Int32? {
        // A device may do something when it is opened.
        try demand()
        let number = openFile(path, flags | O_NONBLOCK | O_CLOEXEC, 0o600)
        guard number >= 0 else { return nil }
        // Somebody may have put something else there meanwhile.
        var status = stat()
        do {
            if unsafe fstat(number, &status) == 0 { try demand(status) }
        } catch {
            _ = close(number)
            throw error
        }
        return number
    }

    private func demand(_ status: stat) throws {
        let kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: ""
            case S_IFDIR: "a directory"
            case S_IFIFO: "a named pipe"
            case S_IFSOCK: "a socket"
            case S_IFCHR, S_IFBLK: "a device"
            default: "something else"
            }
        guard !kind.isEmpty else { return }
        throw LedgerError(
            .foreign,
            "\(title) \(path) is \(kind) and not a file, and was not touched: move it away, or set another state_dir.")
    }
}

/// The system's call, which has the name of the method above.
private func openFile(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 { unsafe open(path, flags, mode) }
