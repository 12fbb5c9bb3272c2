#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the kernel says about this process, under the names that every Prometheus dashboard knows.
struct ProcessFigures: Sendable {
    /// Seconds since 1970.
    let startedAt: Int64

    func write(to text: inout PrometheusText) {
        text.family("process_start_time_seconds", .gauge, "Start time of the process since unix epoch in seconds.")
        text.sample(startedAt)
        var used = timespec()
        if unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0 {
            text.family("process_cpu_seconds_total", .counter, "Total user and system CPU time spent in seconds.")
            text.sample(Double(used.tv_sec) + Double(used.tv_nsec) / 1e9)
        }
        if let resident = Self.residentBytes {
            text.family("process_resident_memory_bytes", .gauge, "Resident memory size in bytes.")
            text.sample(resident)
        }
        if let open = Self.openFiles {
            text.family("process_open_fds", .gauge, "Number of open file descriptors.")
            text.sample(open)
        }
    }

    /// The second number of `/proc/self/statm`, in pages; nil where there is none.
    private static var residentBytes: Int? {
        let file = SystemCall.openFile("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = SystemCall.readBytes(file, &bytes)
        guard count > 0 else { return nil }
        let fields = String(decoding: bytes.prefix(count), as: UTF8.self).split(separator: " ")
        return fields.count > 1 ? Int(fields[1]).map { $0 * Int(sysconf(Int32(_SC_PAGESIZE))) } : nil
    }

    private static var openFiles: Int? {
        guard let directory = unsafe opendir("/proc/self/fd") else { return nil }
        defer { unsafe closedir(directory) }
        var count = 0
        while unsafe readdir(directory) != nil { count += 1 }
        // Not this directory itself, nor its two dots.
        return max(count - 3, 0)
    }
}
