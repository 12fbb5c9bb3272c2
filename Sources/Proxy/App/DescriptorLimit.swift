#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How many files, sockets among them, the process may have open, and how many of them clients may take.
///
/// A process that has no descriptor left can accept nobody, answer nobody and read no file, so clients must never get them all.
package enum DescriptorLimit {
    /// Descriptors for logs, files, event loops and the like.
    private static let own = 64
    /// Nobody needs more.
    package static let most = 1_048_576

    /// The soft limit of the process as it is now. Raising it is the affair of the program, not of what it embeds.
    package static var current: Int {
        var limit = rlimit()
        guard unsafe getrlimit(files, &limit) == 0 else { return 1024 }
        return Int(min(limit.rlim_cur, rlim_t(most)))
    }

    /// How many client connections there is room for beside the connections to upstreams: `wanted`, or fewer.
    static func clients(wanted: Int, upstream: Int, of descriptors: Int) -> Int {
        // Each request upstream may open a connection while those of before are still in the pool.
        let room = descriptors - own - 2 * upstream
        return max(1, min(wanted, max(room, descriptors / 4)))
    }

    #if canImport(Glibc)
        private static let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
        private static let files = RLIMIT_NOFILE
    #endif
}
