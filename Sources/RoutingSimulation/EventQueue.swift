/// What will happen, earliest first; what is due at the same moment happens in the order in which it was added.
struct EventQueue<Event> {
    private struct Entry {
        let instant: Duration
        let number: Int
        let event: Event

        func isBefore(_ other: Entry) -> Bool {
            instant == other.instant ? number < other.number : instant < other.instant
        }
    }

    /// A binary heap.
    private var entries: [Entry] = []
    private var added = 0

    mutating func add(_ event: Event, at instant: Duration) {
        entries.append(Entry(instant: instant, number: added, event: event))
        added += 1
        var child = entries.count - 1
        while child > 0, entries[child].isBefore(entries[(child - 1) / 2]) {
            entries.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func next() -> (instant: Duration, event: Event)? {
        guard !entries.isEmpty else { return nil }
        entries.swapAt(0, entries.count - 1)
        let first = entries.removeLast()
        var parent = 0
        while true {
            var smallest = parent
            for child in 2 * parent + 1..<2 * parent + 3
            where child < entries.count && entries[child].isBefore(entries[smallest]) {
                smallest = child
            }
            if smallest == parent { break }
            entries.swapAt(parent, smallest)
            parent = smallest
        }
        return (first.instant, first.event)
    }
}
