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
    ///
    /// Measured on two cores that others used as well: with 80,000 rows a second, event loops woke up 3.5 ms late in place of 4.8 (p99). With some
    /// thousand rows a second it is the same to them. Who waits for the writer, with a key or a deletion, waits 10 to 20 ms longer where ten threads
    /// want two cores.
    private static let nice: Int32 = 5

    /// Of the calling thread.
    static func settle() {
        #if os(Linux)
            // Not by `Thread.current.name`: a thread that asks before its maker has heard of it is given none.
            try? FileHandle(forWritingTo: URL(fileURLWithPath: "/proc/thread-self/comm")).write(
                contentsOf: Data("ledger".utf8))
        #else
            Thread.current.name = "ledger"
        #endif
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
