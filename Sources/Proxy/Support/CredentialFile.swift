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
    static func read(_ path: String, what: String, fix: String) throws(CredentialFailure) -> [UInt8] {
        do {
            return try RegularFile.read(path, upTo: largest).bytes
        } catch {
            let reason =
                switch error {
                case .system(ENOENT), .system(ENOTDIR): "does not exist"
                case .system(EACCES), .system(EPERM): "cannot be read: permission denied"
                case .system(let code): "cannot be read: \(SystemCall.message(code))"
                case .directory: "is a directory"
                case .other(let kind): "is \(kind), not a regular file"
                case .tooLarge: "is larger than \(largest >> 10) KiB"
                }
            throw CredentialFailure("the file \(path) of \(what) \(reason)", fix: fix)
        }
    }
}
