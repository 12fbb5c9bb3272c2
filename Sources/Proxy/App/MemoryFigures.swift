#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How much memory there is for the process.
enum MemoryFigures {
    /// What the default of `max_body_memory` is at least: two bodies of the largest size that is allowed by default.
    private static let leastForBodies = 256 << 20

    /// A quarter of the machine's memory, or of that of the control group, whichever is less.
    static let forBodies = forBodies(of: available)

    static func forBodies(of available: Int?) -> Int { max((available ?? 0) / 4, leastForBodies) }

    /// Bytes; nil where the system does not say.
    private static var available: Int? {
        let machine = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
        return [machine > 0 ? machine : nil, controlGroup()].compactMap { $0 }.min()
    }

    /// The smallest limit of the process's control group (version 2) and of those around it.
    private static func controlGroup() -> Int? {
        guard let groups = text("/proc/self/cgroup"),
            let line = groups.split(separator: "\n").first(where: { $0.hasPrefix("0::/") })
        else { return nil }
        var path = line.dropFirst(3).split(separator: "/")[...]
        var least: Int?
        while true {
            let folder = "/sys/fs/cgroup" + path.map { "/" + $0 }.joined()
            for name in ["memory.max", "memory.high"] {
                if let limit = text("\(folder)/\(name)").flatMap({ Int($0.split(separator: "\n").first ?? "") }) {
                    least = min(least ?? limit, limit)
                }
            }
            guard path.popLast() != nil else { return least }
        }
    }

    private static func text(_ path: String) -> String? {
        (try? RegularFile.read(path, upTo: 64 << 10)).map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    /// Bytes of the process that are in memory; nil where the system does not say.
    static var resident: Int? {
        guard let fields = text("/proc/self/statm")?.split(separator: " "), fields.count > 1, let pages = Int(fields[1])
        else { return nil }
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
