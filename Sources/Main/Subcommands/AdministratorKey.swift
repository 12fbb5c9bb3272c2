import Proxy

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The key that `-key-file` names. It comes by a file, since arguments and variables of a process are for others to see.
enum AdministratorKey {
    private static let longest = 4096

    /// - Parameter path: `-` is standard input.
    /// - Throws: `ExitError` when there is no key in it.
    static func read(_ path: String) throws -> Secret {
        let descriptor = path == "-" ? 0 : SystemCall.openFile(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else {
            throw ExitError(
                .badUsage, "-key-file \(path) cannot be read: \(SystemCall.message(errno)); name a file with a key")
        }
        defer { if descriptor != 0 { close(descriptor) } }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: longest)
        while bytes.count <= longest {
            let count = SystemCall.readBytes(descriptor, &chunk)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw ExitError(
                    .badUsage, "-key-file \(path) cannot be read: \(SystemCall.message(errno)); name a file with a key")
            }
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        let isBlank = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
        let key = bytes.drop(while: isBlank).reversed().drop(while: isBlank).reversed()
        guard !key.isEmpty, bytes.count <= longest, key.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw ExitError(
                .badUsage, "-key-file \(path) does not hold a key: it must have one line with the key and nothing else")
        }
        return Secret(String(decoding: Array(key), as: UTF8.self))
    }
}
