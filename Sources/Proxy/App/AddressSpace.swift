/// How much virtual memory the process needs.
package enum AddressSpace {
    /// Virtual memory without which the runtime's threads and the allocator's arenas cannot be had: it would end by a trap, without a word.
    private static let least: UInt64 = 2 << 30

    /// - Parameter limit: bytes; the largest number is no limit.
    /// - Throws: `ExitError` when that is too little to run.
    package static func check(limit: UInt64) throws(ExitError) {
        guard limit < least else { return }
        throw ExitError(
            .internalError,
            "the virtual memory limit (ulimit -v) is \(limit >> 20) MiB, which is too low: set it to at least \(least >> 20) MiB or to unlimited; "
                + "to limit resident memory, use MemoryMax= in the systemd unit")
    }
}
