import Proxy

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the process asks of the system for itself, before it has read a secret.
enum ProcessHardening {
    /// Keys, prompts and answers are in its memory: no core of it goes to a disk, and no other process of the same user reads it.
    static func forbidDumps() {
        var none = rlimit()
        unsafe setrlimit(core, &none)
        #if os(Linux)
            // prctl(PR_SET_DUMPABLE, 0), which takes any number of arguments and is therefore not imported.
            guard let symbol = unsafe dlsym(nil, "prctl") else { return }
            typealias Control = @convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32
            _ = unsafe unsafeBitCast(symbol, to: Control.self)(4, 0, 0, 0, 0)
        #endif
    }

    /// - Throws: `ExitError` when the process may have too little address space to run.
    static func checkAddressSpace() throws(ExitError) {
        var limit = rlimit()
        guard unsafe getrlimit(addressSpace, &limit) == 0 else { return }
        try AddressSpace.check(limit: UInt64(limit.rlim_cur))
    }

    #if canImport(Glibc)
        private static let core = __rlimit_resource_t(RLIMIT_CORE.rawValue)
        private static let addressSpace = __rlimit_resource_t(RLIMIT_AS.rawValue)
    #else
        private static let core = RLIMIT_CORE
        private static let addressSpace = RLIMIT_AS
    #endif
}
