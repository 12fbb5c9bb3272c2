import Synchronization

/// Arrays for the bodies of large requests, used again when a request is over.
enum BodyArrays {
    private static let shelf = Mutex(BlockPool<[UInt8]>(limit: BodyMemoryPool.limit))

    /// An empty array with room for `capacity` bytes.
    static func array(capacity: Int) -> [UInt8] {
        if capacity >= BodyMemoryPool.smallest, let array = shelf.withLock({ $0.take(capacity) }) { return array }
        var array: [UInt8] = []
        array.reserveCapacity(capacity)
        return array
    }

    /// Takes an array back. Of one that somebody else still holds, nothing is gained and nothing lost.
    static func takeBack(_ array: consuming [UInt8]) {
        guard array.capacity >= BodyMemoryPool.smallest else { return }
        array.removeAll(keepingCapacity: true)
        let (empty, now) = (array, BodyMemoryPool.now)
        let old = shelf.withLock { $0.put(empty, capacity: empty.capacity, at: now) }
        // Freed outside the lock.
        _ = consume old
        BodyMemoryPool.watch()
    }

    /// - Returns: bytes that are still kept.
    static func expire(before instant: Duration) -> Int {
        let (old, kept) = shelf.withLock { ($0.expire(before: instant), $0.kept) }
        _ = consume old
        return kept
    }
}
