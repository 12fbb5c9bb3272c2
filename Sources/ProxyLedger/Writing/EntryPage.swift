import ProxyAccounting

/// Entries as one thread has recorded them, one behind the other, and flat: nothing of an entry that ends on one core has to be let go of on another.
///
/// Names are few, and most stand where they stood in the entry before: a page has them once, and entries their places. What is of one entry alone, its ids,
/// is among the bytes. An unknown number is `Int64.min`, which no count, time or cost is.
struct EntryPage: Sendable {
    /// Where a name stands in an entry.
    private enum Slot: Int, CaseIterable {
        case key, dialect, endpoint, model, servedModel, upstream, error, rescuedFrom, fallback
        case attemptUpstream, attemptModel, region, outcome
    }
    private static let nothing = RecordedEntry.nothing

    /// Where an entry begins among numbers and bytes.
    private struct Start: Sendable {
        var number: Int32
        var byte: Int32
    }

    private var starts: [Start] = []
    private var numbers: [Int64] = []
    private var names: [String] = []
    private var bytes: [UInt8] = []
    /// The last name of each slot.
    private var lasts = InlineArray<13, Int32>(repeating: -1)

    /// - Parameter capacity: entries that will come, if that is known.
    init(capacity: Int = 0) {
        guard capacity > 0 else { return }
        numbers.reserveCapacity(capacity * (RecordedEntry.size + RecordedAttempt.size))
        bytes.reserveCapacity(capacity * 48)
        names.reserveCapacity(16)
        starts.reserveCapacity(capacity)
    }

    var count: Int { starts.count }
    var nameCount: Int { names.count }

    /// It has been made for entries, and not taken.
    var hasRoom: Bool { numbers.capacity > 0 }

    // MARK: Writing

    /// In the order of `RecordedEntry.Field`, with the usage behind them, then each attempt in that of `RecordedAttempt.Field`, with its own.
    mutating func append(_ entry: LedgerEntry) {
        starts.append(Start(number: Int32(numbers.count), byte: Int32(bytes.count)))
        let attempts = entry.attempts.count
        // One by one, since a closure that fills the room at once would take a copy of the entry along.
        numbers.reserveCapacity(numbers.count + RecordedEntry.size + attempts * RecordedAttempt.size)
        append(text: entry.id)
        append(entry.at)
        append(name: entry.key, .key)
        append(name: entry.dialect, .dialect)
        append(name: entry.endpoint, .endpoint)
        append(name: entry.model, .model)
        append(name: entry.servedModel, .servedModel)
        append(name: entry.upstream, .upstream)
        append(Int64(entry.status))
        append(name: entry.error, .error)
        append(entry.isStreaming ? 1 : 0)
        append(entry.wait)
        append(entry.firstToken)
        append(entry.total)
        append(entry.cost)
        append(name: entry.rescuedFrom, .rescuedFrom)
        append(name: entry.fallback, .fallback)
        append(entry.chargedTokens)
        append(entry.chargedCost)
        append(Int64(attempts))
        append(entry.usage)
        for index in 0..<attempts {
            append(Int64(entry.attempts[index].number))
            append(entry.attempts[index].at)
            append(name: entry.attempts[index].upstream, .attemptUpstream)
            append(name: entry.attempts[index].model, .attemptModel)
            append(entry.attempts[index].isModelListed ? 1 : 0)
            append(name: entry.attempts[index].region, .region)
            append(name: entry.attempts[index].outcome, .outcome)
            append(entry.attempts[index].status.map { Int64($0) })
            append(text: entry.attempts[index].opcRequestID)
            append(entry.attempts[index].firstToken)
            append(entry.attempts[index].total)
            append(entry.attempts[index].cost)
            append(entry.attempts[index].usage)
        }
    }

    /// In the order of `RecordedUsage.Field`.
    private mutating func append(_ usage: LedgerUsage) {
        append(Int64(usage.truth.rawValue))
        append(usage.prompt)
        append(usage.completion)
        append(usage.cached)
        append(usage.cacheWrites)
        append(usage.reasoning)
        append(usage.charactersIn)
        append(usage.charactersOut)
    }

    private mutating func append(_ number: Int64) { numbers.append(number) }
    private mutating func append(_ number: Int64?) { numbers.append(number ?? Self.nothing) }

    private mutating func append(name: String?, _ slot: Slot) {
        guard let name else { return numbers.append(Self.nothing) }
        let last = Int(lasts[slot.rawValue])
        if last >= 0, names[last] == name { return numbers.append(Int64(last)) }
        lasts[slot.rawValue] = Int32(names.count)
        numbers.append(Int64(names.count))
        names.append(name)
    }

    /// The bytes apart, and how many there are.
    private mutating func append(text: String?) {
        guard let text else { return numbers.append(Self.nothing) }
        let before = bytes.count
        bytes.append(contentsOf: text.utf8)
        numbers.append(Int64(bytes.count - before))
    }

    // MARK: Reading

    /// When an entry arrived, in microseconds since 1970.
    func at(_ index: Int) -> Int64 { numbers[Int(starts[index].number) + RecordedEntry.Field.at.rawValue] }

    /// - Parameter firstName: where this page's names begin among those of its batch.
    func entry(_ index: Int, firstName: Int = 0) -> RecordedEntry {
        RecordedEntry(
            numbers: numbers, bytes: bytes, names: names, number: Int(starts[index].number),
            byte: Int(starts[index].byte), firstName: firstName)
    }
}
