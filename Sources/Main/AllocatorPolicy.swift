#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How the C library's allocator keeps what has been freed.
enum AllocatorPolicy {
    /// Buffers from this size on get pages of their own, which go back to the system when they are freed.
    private static let largeBuffer: Int32 = 256 << 10
    /// `M_MMAP_THRESHOLD` of glibc's malloc.h, which Swift does not import.
    private static let threshold: Int32 = -3

    /// Once, before there are threads. Where the C library has no `mallopt`, nothing happens.
    ///
    /// glibc raises this bound by itself to the largest buffer that was ever freed. Bodies and whole answers of many megabytes then come from
    /// its arenas, between small things that live longer, and leave holes: 195 MB resident in place of 53 after 200 answers of 9 MB.
    static func apply() {
        guard let symbol = unsafe dlsym(nil, "mallopt") else { return }
        // mallopt(3): int mallopt(int, int).
        typealias SetOption = @convention(c) (Int32, Int32) -> Int32
        _ = unsafe unsafeBitCast(symbol, to: SetOption.self)(threshold, largeBuffer)
    }

    /// Gives what is free back to the system, also between things that are in use. Where the C library has no `malloc_trim`, nothing happens.
    static func trim() {
        guard let symbol = unsafe dlsym(nil, "malloc_trim") else { return }
        // malloc_trim(3): int malloc_trim(size_t).
        typealias Trim = @convention(c) (Int) -> Int32
        _ = unsafe unsafeBitCast(symbol, to: Trim.self)(0)
    }
}
