#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The machine that the process is on.
enum OwnHost {
    /// As the system calls it; for people.
    static let name: String = {
        var bytes = [CChar](repeating: 0, count: 256)
        // It writes as many as it is told, and the last one stays 0.
        guard unsafe gethostname(&bytes, bytes.count - 1) == 0 else { return "localhost" }
        let name = String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return name.isEmpty ? "localhost" : name
    }()
}
