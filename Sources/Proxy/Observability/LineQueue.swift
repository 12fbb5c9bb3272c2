/// Lines between those who log and a place that may be slow, bounded: what does not fit is dropped and counted, since a request must not
/// wait for the log. No I/O.
struct LineQueue<Place: Sendable>: Sendable {
    struct Line: Sendable {
        let text: String
        /// Where it was to go when it was logged.
        let place: Place
    }

    /// What is to be written next.
    struct Batch: Sendable {
        let lines: [Line]
        /// Lines that were dropped after these, and have not been told of.
        let dropped: Int
    }

    /// What a line takes beside its bytes.
    private static var overhead: Int { 64 }

    private let capacity: Int
    private var lines: [Line] = []
    /// The first that has not been taken: taking many one by one moves nothing.
    private var first = 0
    private var bytes = 0
    private var dropped = 0
    /// How many lines come before the first of those that were dropped.
    private var gap = 0
    /// All that ever were dropped.
    private(set) var droppedTotal = 0

    /// - Parameter capacity: bytes that may wait.
    init(capacity: Int) {
        self.capacity = capacity
    }

    /// Whether there is nothing to write and nothing to tell.
    var isEmpty: Bool { first == lines.count && dropped == 0 }

    mutating func add(_ text: String, to place: Place) {
        let size = text.utf8.count + Self.overhead
        guard bytes + size <= capacity else {
            if dropped == 0 { gap = lines.count }
            dropped += 1
            droppedTotal += 1
            return
        }
        bytes += size
        lines.append(Line(text: text, place: place))
    }

    /// The oldest lines, of `limit` bytes or a little more, and how many have been lost behind them.
    mutating func take(upTo limit: Int) -> Batch {
        var taken = 0
        let start = first
        let end = dropped > 0 ? gap : lines.count
        while first < end, taken < limit {
            taken += lines[first].text.utf8.count + Self.overhead
            first += 1
        }
        bytes -= taken
        let reachesGap = dropped > 0 && first == gap
        let batch = Batch(lines: Array(lines[start..<first]), dropped: reachesGap ? dropped : 0)
        if reachesGap { dropped = 0 }
        if first == lines.count, dropped == 0 {
            lines.removeAll(keepingCapacity: lines.count < 1000)
            first = 0
        } else if first > 4096 {
            lines.removeFirst(first)
            gap -= first
            first = 0
        }
        return batch
    }
}
