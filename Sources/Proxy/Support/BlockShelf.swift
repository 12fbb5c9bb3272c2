/// Blocks of memory that are kept for the next who needs one as large: a value without I/O.
///
/// A fresh megabyte costs 0.7 ms of page faults before the first byte of it is used, more than everything else that is done with the bytes
/// of a request, but for its digest.
struct BlockShelf<Block>: ~Copyable {
    private var blocks: [(capacity: Int, block: Block)] = []
    /// Bytes of all blocks on the shelf.
    private(set) var kept = 0
    private let limit: Int

    /// - Parameter limit: bytes to keep at most.
    init(limit: Int) {
        self.limit = limit
    }

    /// The smallest block of at least `size` bytes, and of no more than twice as many; of several, the one that came last, as it may
    /// still be in the processor's cache.
    mutating func take(_ size: Int) -> Block? {
        var best: Int?
        for index in blocks.indices.reversed() where blocks[index].capacity >= size && blocks[index].capacity <= 2 * size {
            if best.map({ blocks[index].capacity < blocks[$0].capacity }) ?? true { best = index }
        }
        guard let best else { return nil }
        let taken = blocks.remove(at: best)
        kept -= taken.capacity
        return taken.block
    }

    /// Keeps a block; those that have lain there longest make room for it.
    ///
    /// - Returns: what is not kept.
    mutating func put(_ block: Block, capacity: Int) -> [Block] {
        guard capacity <= limit else { return [block] }
        var leaving = 0
        while kept + capacity > limit {
            kept -= blocks[leaving].capacity
            leaving += 1
        }
        let old = blocks[..<leaving].map(\.block)
        blocks.removeFirst(leaving)
        blocks.append((capacity, block))
        kept += capacity
        return old
    }
}
