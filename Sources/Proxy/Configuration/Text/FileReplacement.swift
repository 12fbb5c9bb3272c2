#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Replaces a file's content in one step: a reader sees the old content or the new, never a part.
package enum FileReplacement {
    /// Why nothing was written, as a clause: "config.conf cannot be written: Permission denied".
    package struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// Writes a new file beside the old one, with its mode and (where the process may) its owner, flushes it, and
    /// renames it over. A symbolic link stays, its target is replaced.
    ///
    /// Throws, with the old file untouched, when there is no such file, or it or its directory cannot be written.
    package static func replace(_ path: String, with bytes: [UInt8]) throws(Failure) {
        guard let resolved = unsafe realpath(path, nil) else { throw failure(path) }
        defer { unsafe free(resolved) }
        let target = unsafe String(cString: resolved)
        // A file that its owner has made read-only stays as it is, though the rename would work.
        guard unsafe access(target, W_OK) == 0 else { throw failure(path) }
        guard let status = SystemCall.status(of: target) else { throw failure(path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw Failure(description: "\(path) cannot be written: it is not a regular file")
        }

        var template = Array((unfinished(target) + "XXXXXX").utf8CString)
        let descriptor = unsafe mkstemp(&template)
        guard descriptor >= 0 else { throw failure(path) }
        // For as long as it is open: who finds it without this lock finds what a process that was killed has left (`removeLeftovers`).
        flock(descriptor, LOCK_EX | LOCK_NB)
        let written = write(bytes, to: descriptor, like: status)
        let error = errno
        defer { close(descriptor) }
        guard written, unsafe rename(&template, target) == 0 else {
            let reason = written ? errno : error
            unsafe unlink(&template)
            throw failure(path, reason)
        }
        flushDirectory(of: target)
    }

    /// Removes the new files beside `path` that processes have left which were killed while they wrote one: a key may be in them.
    ///
    /// - Returns: how many they were.
    @discardableResult
    package static func removeLeftovers(of path: String) -> Int {
        guard let resolved = unsafe realpath(path, nil) else { return 0 }
        defer { unsafe free(resolved) }
        let beginning = unsafe unfinished(String(cString: resolved))
        let folder = KeyFileLookup.directory(of: beginning)
        guard let directory = unsafe opendir(folder) else { return 0 }
        defer { unsafe closedir(directory) }
        var removed = 0
        let nameOffset = MemoryLayout<dirent>.offset(of: \.d_name)!
        while let entry = unsafe readdir(directory) {
            // Where it stands, and not as a member: the record ends behind the name's zero, long before the end of the field.
            let name = unsafe String(
                cString: UnsafeRawPointer(entry).advanced(by: nameOffset).assumingMemoryBound(to: CChar.self))
            let file = KeyFileLookup.join(folder, name)
            guard file.hasPrefix(beginning), file.utf8.count == beginning.utf8.count + 6, isAbandoned(file),
                unsafe unlink(file) == 0
            else { continue }
            removed += 1
        }
        return removed
    }

    /// Of this user, a regular file, and of no process that still writes it.
    private static func isAbandoned(_ file: String) -> Bool {
        let descriptor = SystemCall.openFile(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        guard let status = SystemCall.status(ofDescriptor: descriptor), status.st_mode & S_IFMT == S_IFREG else {
            return false
        }
        return flock(descriptor, LOCK_EX | LOCK_NB) == 0
    }

    /// How the new file beside a file begins its name: six more characters follow. Nobody else names theirs so.
    private static func unfinished(_ target: String) -> String {
        let name = target.lastIndex(of: "/").map { target[target.index(after: $0)...] } ?? target[...]
        return KeyFileLookup.join(KeyFileLookup.directory(of: target), ".\(name).ociai-proxy-new.")
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, like status: stat) -> Bool {
        // The owner first: changing it clears mode bits. Without the right to, the file becomes the process's own.
        _ = fchown(descriptor, status.st_uid, status.st_gid)
        guard fchmod(descriptor, status.st_mode & 0o7777) == 0 else { return false }
        var rest = bytes.span
        while !rest.isEmpty {
            let count = SystemCall.writeBytes(descriptor, rest)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.extracting(droppingFirst: count)
        }
        return fsync(descriptor) == 0
    }

    /// Makes the rename itself survive a power cut. A failure is not one of the write, so it is let pass.
    private static func flushDirectory(of path: String) {
        let descriptor = SystemCall.openFile(KeyFileLookup.directory(of: path), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    private static func failure(_ path: String, _ code: Int32 = errno) -> Failure {
        Failure(description: "\(path) cannot be written: \(SystemCall.message(code))")
    }
}
