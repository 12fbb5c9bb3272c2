#if canImport(Glibc)
    package import Glibc
#elseif canImport(Musl)
    package import Musl
#else
    package import Darwin
#endif

/// Calls of the C library that take pointers, for those who have none in hand.
package enum SystemCall {
    /// What the system says of an `errno`.
    package static func message(_ code: Int32) -> String {
        // A text that ends with zero, for every number.
        unsafe String(cString: strerror(code))
    }

    /// - Returns: a descriptor; negative when there is none, and `errno` says why.
    package static func openFile(_ path: String, _ flags: Int32) -> Int32 {
        // The path is lent for the time of the call.
        unsafe open(path, flags)
    }

    /// Makes a file that is not there, as others of the user are made.
    ///
    /// - Returns: a descriptor to write to; negative when there is none, and `errno` says why.
    package static func makeFile(_ path: String, mode: mode_t = 0o666) -> Int32 {
        // The path is lent for the time of the call.
        unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    }

    /// Gives the file a further name, which nobody may have.
    ///
    /// - Returns: false when it has none more, and `errno` says why.
    package static func addName(_ other: String, to path: String) -> Bool {
        // Both are lent for the time of the call.
        unsafe link(path, other) == 0
    }

    /// - Returns: false when the file keeps its name, and `errno` says why.
    package static func move(_ path: String, to other: String) -> Bool {
        // Both are lent for the time of the call; so below.
        unsafe rename(path, other) == 0
    }

    package static func remove(_ path: String) { _ = unsafe unlink(path) }

    /// The file that a path leads to over symbolic links; nil when there is none.
    package static func resolved(_ path: String) -> String? {
        // The C library allocates the text, and ends it with zero.
        guard let resolved = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    /// - Returns: nil when it cannot be had, and `errno` says why.
    package static func status(of path: String) -> stat? {
        var status = stat()
        // It writes what it is given room for.
        return unsafe stat(path, &status) == 0 ? status : nil
    }

    /// The same of an open file.
    package static func status(ofDescriptor descriptor: Int32) -> stat? {
        var status = stat()
        // It writes what it is given room for.
        return unsafe fstat(descriptor, &status) == 0 ? status : nil
    }

    /// - Returns: how many bytes of `buffer` have been filled; negative when none could be read, and `errno` says why.
    package static func readBytes(_ descriptor: Int32, _ buffer: inout [UInt8]) -> Int {
        // It is given the array's memory and no more.
        unsafe read(descriptor, &buffer, buffer.count)
    }

    /// - Returns: how many bytes have been written; negative when none could be, and `errno` says why.
    package static func writeBytes(_ descriptor: Int32, _ bytes: Span<UInt8>) -> Int {
        // It is given these bytes and no more.
        unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
    }

    /// The name of a user, or its number where there is none. For a process with one thread that asks.
    package static func userName(of number: uid_t) -> String {
        // The record is the C library's, and copied before anybody asks again.
        guard let record = unsafe getpwuid(number), let name = unsafe record.pointee.pw_name else { return "\(number)" }
        return unsafe String(cString: name)
    }

    /// Leaves all groups but the process's own one. For root.
    package static func leaveGroups() -> Bool {
        setgroups(0, nil) == 0
    }

    package static func workingDirectory() -> String? {
        // The C library allocates the text, and ends it with zero.
        guard let path = unsafe getcwd(nil, 0) else { return nil }
        defer { unsafe free(path) }
        return unsafe String(cString: path)
    }
}
