import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The installation's secret: 32 bytes in a file of their own beside the database, so that a copy of the database alone tells nothing of what was said.
struct SecretFile {
    let directory: String

    var path: String { directory + "/ociai-proxy.secret" }
    private static let length = 32

    /// The secret; a new one is drawn where there is none, or what is there is none. Only for whoever has the directory's lock.
    ///
    /// - Returns: whether it is new, which makes unreadable what was kept under another.
    /// - Throws: `LedgerError`.
    func read() throws -> (secret: [UInt8], isNew: Bool) {
        if let secret = try present() { return (secret, false) }
        let secret = (0..<Self.length).map { _ in UInt8.random(in: 0...255) }
        let text = secret.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() + "\n"
        let temporary = path + ".new"
        try FilePlace(title: "The file", path: temporary).demand()
        let files = FileManager.default
        try? files.removeItem(atPath: temporary)
        guard
            files.createFile(
                atPath: temporary, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600]),
            files.contents(atPath: temporary) == Data(text.utf8)
        else { throw unusable("\(SystemError.current)") }
        do {
            // What is sealed with it may be on the disk before it is, else.
            try sync(temporary)
            try? files.removeItem(atPath: path)
            try files.moveItem(atPath: temporary, toPath: path)
            try sync(directory)
        } catch {
            throw unusable(LedgerFile.words(error))
        }
        return (secret, true)
    }

    private func sync(_ path: String) throws {
        let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        try handle.synchronize()
        try handle.close()
    }

    private func present() throws -> [UInt8]? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        guard let number = try FilePlace(title: "The file", path: path).open(O_RDONLY) else {
            throw unusable("\(SystemError.current)")
        }
        // With the end of its line and one byte more, by which one sees that it is another.
        let content: Data
        do {
            content =
                try FileHandle(fileDescriptor: number, closeOnDealloc: true).read(upToCount: 2 * Self.length + 2)
                ?? Data()
        } catch {
            throw unusable(LedgerFile.words(error))
        }
        let digits = content.prefix { $0 != UInt8(ascii: "\n") }.map { Character(Unicode.Scalar($0)).hexDigitValue }
        guard digits.count == 2 * Self.length else { return nil }
        let values = digits.compactMap(\.self)
        guard values.count == digits.count else { return nil }
        return stride(from: 0, to: values.count, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) }
    }

    private func unusable(_ reason: String) -> LedgerError {
        LedgerError(
            .unusable,
            "The file \(path) cannot be made or read (\(reason)): make it readable and its directory writable for this user. "
                + "Until then stored Responses do not outlive the process.")
    }
}
