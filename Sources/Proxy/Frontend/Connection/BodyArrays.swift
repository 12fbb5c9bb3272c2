import Synchronization

/// Arrays for the bodies of large requests, used again when a request is over.
enum BodyArrays {
    /// Smaller ones the allocator has at hand (`AllocatorPolicy`).
    private static let smallest = 256 << 10
    private static let shelf = Mutex(BlockShelf<[UInt8]>(limit: 16 << 20))

    /// An empty array with room for `capacity` bytes.
    static func array(capacity: Int) -> [UInt8] {
        if capacity >= smallest, let array = shelf.withLock({ $0.take(capacity) }) { return array }
        var array: [UInt8] = []
        array.reserveCapacity(capacity)
        return array
    }

    /// Takes an array back. If somebody else still has it, only its memory's size is kept.
    static func takeBack(_ array: consuming [UInt8]) {
        guard array.capacity >= smallest else { return }
        array.removeAll(keepingCapacity: true)
        let capacity = array.capacity
        let old = shelf.withLock { [array] in $0.put(array, capacity: capacity) }
        // Freed here, outside the lock.
        _ = consume old
    }
}
