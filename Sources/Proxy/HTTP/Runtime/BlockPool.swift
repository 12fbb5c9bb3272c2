/// Blocks of memory that are kept for the next who needs one as large: a value without I/O.
///
/// A fresh megabyte costs 0.7 ms of page faults before the first byte of it is used: more than anything else that is done with the bytes
/// of a large request, but for its digest.
struct BlockPool<Block> {
    private struct Kept {
        let block: Block
        let capacity: Int
        let since: Duration
    }

    /// Those that came last are at the end.
    private var blocks: [Kept] = []
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
        for index in blocks.indices.reversed()
        where blocks[index].capacity >= size && blocks[index].capacity <= 2 * size {
            if best.map({ blocks[index].capacity < blocks[$0].capacity }) ?? true { best = index }
        }
        guard let best else { return nil }
        kept -= blocks[best].capacity
        return blocks.remove(at: best).block
    }

    /// Keeps a block; those that have lain there longest make room for it.
    ///
    /// - Returns: what is not kept.
    mutating func put(_ block: Block, capacity: Int, at now: Duration) -> [Block] {
        guard capacity <= limit else { return [block] }
        var leaving = 0
        var left = kept
        while left + capacity > limit {
            left -= blocks[leaving].capacity
            leaving += 1
        }
        let old = removeFirst(leaving)
        blocks.append(Kept(block: block, capacity: capacity, since: now))
        kept += capacity
        return old
    }

    /// Gives away what nobody has taken since `instant`.
    mutating func expire(before instant: Duration) -> [Block] {
        removeFirst(blocks.prefix { $0.since < instant }.count)
    }

    private mutating func removeFirst(_ count: Int) -> [Block] {
        let old = blocks[..<count]
        blocks.removeFirst(count)
        for block in old { kept -= block.capacity }
        return old.map(\.block)
    }
}
