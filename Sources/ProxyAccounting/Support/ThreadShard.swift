#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Which part of something in parts is the calling thread's. Event loops that write to parts of their own do not wait for each other, nor for each
/// other's cache lines, which costs more than the work itself.
package enum ThreadShard {
    /// The same for a thread each time, and seldom the same for two.
    ///
    /// - Parameter bits: of the number of parts; 1 to 8.
    package static func index(bits: UInt64) -> Int {
        #if canImport(Darwin)
            let thread = unsafe UInt(bitPattern: pthread_self())
        #else
            let thread = UInt(pthread_self())
        #endif
        // Threads' addresses lie whole pages apart: the upper bits of the product are the well mixed ones.
        return Int(truncatingIfNeeded: (UInt64(thread) >> 12 &* 0x9E37_79B9_7F4A_7C15) >> (64 - bits))
    }
}
