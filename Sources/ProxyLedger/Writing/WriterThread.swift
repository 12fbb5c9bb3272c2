import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the writer's thread tells the system of itself.
enum WriterThread {
    /// Behind the threads that serve, where there are not enough cores for all: rows may wait, requests may not. Not so far behind that it would never
    /// come to its turn.
    private static let nice: Int32 = 5

    /// Of the calling thread.
    static func settle() {
        Thread.current.name = "ledger"
        // On Linux this is the calling thread's alone.
        #if canImport(Glibc)
            _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, nice)
        #elseif canImport(Musl)
            _ = setpriority(PRIO_PROCESS, 0, nice)
        #else
            Thread.current.qualityOfService = .utility
        #endif
    }
}
