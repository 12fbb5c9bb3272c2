import Proxy

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How many files, sockets among them, the process may have open.
enum OpenFileLimit {
    /// Raises the soft limit as far as the hard one allows: the usual 1024 is for programs that use `select`, as we do not.
    ///
    /// - Returns: the limit now.
    static func raise() -> Int {
        var limit = rlimit()
        if unsafe getrlimit(files, &limit) == 0 {
            let wanted = min(limit.rlim_max, rlim_t(DescriptorLimit.most))
            if limit.rlim_cur < wanted {
                limit.rlim_cur = wanted
                unsafe setrlimit(files, &limit)
            }
        }
        return DescriptorLimit.current
    }

    #if canImport(Glibc)
        private static let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
        private static let files = RLIMIT_NOFILE
    #endif
}
