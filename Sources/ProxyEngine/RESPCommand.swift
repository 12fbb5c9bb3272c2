import CHiredis

/// A command as bytes for the engine, by the formatter of hiredis. Its parts may hold any bytes.
package struct RESPCommand: Equatable, Sendable {
    package let parts: [[UInt8]]

    package init(_ parts: [[UInt8]]) { self.parts = parts }
    package init(_ parts: String...) { self.parts = parts.map { Array($0.utf8) } }

    package var bytes: [UInt8] {
        let lengths = parts.map(\.count)
        // One behind the other, and where each begins.
        let joined = Array(parts.joined()) + [0]
        var starts: [Int] = []
        starts.reserveCapacity(parts.count)
        var start = 0
        for length in lengths {
            starts.append(start)
            start += length
        }
        var target: UnsafeMutablePointer<CChar>?
        let count = unsafe joined.withUnsafeBufferPointer { joined in
            let base = unsafe UnsafeRawPointer(joined.baseAddress)?.assumingMemoryBound(to: CChar.self)
            var pointers = unsafe starts.map { start in unsafe base.map { unsafe $0 + start } }
            return unsafe Int(redisFormatCommandArgv(&target, Int32(parts.count), &pointers, lengths))
        }
        guard count >= 0, let target = unsafe target else { preconditionFailure("out of memory") }
        defer { unsafe redisFreeCommand(target) }
        return unsafe Array(UnsafeRawBufferPointer(start: target, count: count))
    }
}
