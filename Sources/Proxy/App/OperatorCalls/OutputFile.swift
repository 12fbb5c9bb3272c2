#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file that a command writes piece by piece. It is there when all of it is: until then what was there before stays.
///
/// What is no regular file (a pipe, a device) is written as it is.
///
/// A class: who drops it before `finish` leaves nothing behind.
package final class OutputFile {
    /// As the user named it.
    private let path: String
    private let descriptor: Int32
    /// What has its name may be replaced.
    private let mayReplace: Bool
    /// Where the bytes are until the file is whole, and what it is called then; nil for what is written as it is.
    private var place: (temporary: String, target: String)?

    /// - Parameters:
    ///   - mode: of the new file.
    ///   - mayReplace: false for one that must not be there yet.
    /// - Throws: `ExitError` when it cannot be made.
    package init(_ path: String, mode: UInt32 = 0o666, mayReplace: Bool = true) throws(ExitError) {
        self.path = path
        self.mayReplace = mayReplace
        let target = SystemCall.resolved(path) ?? path
        var place: (temporary: String, target: String)?
        let descriptor: Int32
        switch SystemCall.status(of: target)?.st_mode {
        case let mode? where mode & S_IFMT == S_IFDIR:
            throw ExitError(.badUsage, "\(path) is a directory; name a file in it")
        case _? where !mayReplace && SystemCall.status(of: target).map { $0.st_mode & S_IFMT == S_IFREG } == true:
            throw Self.exists(path)
        case let mode? where mode & S_IFMT != S_IFREG:
            descriptor = SystemCall.openFile(target, O_WRONLY | O_CLOEXEC)
        default:
            let name = target.lastIndex(of: "/").map { target[target.index(after: $0)...] } ?? target[...]
            let temporary = KeyFileLookup.join(
                KeyFileLookup.directory(of: target), ".\(name).\(RandomName().hex.prefix(8))")
            descriptor = SystemCall.makeFile(temporary, mode: mode_t(mode))
            place = (temporary, target)
        }
        guard descriptor >= 0 else { throw Self.failure(path) }
        (self.descriptor, self.place) = (descriptor, place)
    }

    /// - Throws: `ExitError` when not all of it could be written.
    package func write(_ bytes: [UInt8]) throws(ExitError) {
        guard StandardStream.write(bytes.span, to: descriptor) else { throw Self.failure(path) }
    }

    /// All has been written: gives the file its name.
    ///
    /// - Throws: `ExitError` when that cannot be; then nothing has changed.
    package func finish() throws(ExitError) {
        guard let place else { return }
        guard fsync(descriptor) == 0 else { throw Self.failure(path) }
        if mayReplace {
            guard SystemCall.move(place.temporary, to: place.target) else { throw Self.failure(path) }
        } else {
            // Unlike a move, this fails where somebody has made one meanwhile.
            guard SystemCall.addName(place.target, to: place.temporary) else {
                throw errno == EEXIST ? Self.exists(path) : Self.failure(path)
            }
            SystemCall.remove(place.temporary)
        }
        self.place = nil
    }

    deinit {
        close(descriptor)
        if let place { SystemCall.remove(place.temporary) }
    }

    private static func exists(_ path: String) -> ExitError {
        ExitError(.refused, "\(path) exists; name another file, or replace it with -force")
    }

    private static func failure(_ path: String) -> ExitError {
        ExitError(.refused, "\(path) cannot be written: \(SystemCall.message(errno))")
    }
}
