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
    private static let nothing = Int64.min

    private(set) var count = 0
    private var numbers: [Int64] = []
    private var names: [String] = []
    private var bytes: [UInt8] = []
    /// The last name of each slot.
    private var lasts = InlineArray<13, Int32>(repeating: -1)

    /// - Parameter capacity: entries that will come, if that is known.
    init(capacity: Int = 0) {
        guard capacity > 0 else { return }
        numbers.reserveCapacity(capacity * (Self.requestNumbers + Self.attemptNumbers))
        bytes.reserveCapacity(capacity * 48)
        names.reserveCapacity(16)
    }

    /// It has been made for entries, and not taken.
    var hasRoom: Bool { numbers.capacity > 0 }

    /// Keeps the room.
    mutating func removeAll() {
        count = 0
        numbers.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
        names.removeAll(keepingCapacity: true)
        lasts = InlineArray(repeating: -1)
    }

    // MARK: Writing

    private static let requestNumbers = 28
    private static let attemptNumbers = 20

    mutating func append(_ entry: LedgerEntry) {
        count += 1
        let attempts = entry.attempts.count
        // One by one, since a closure that fills the room at once would take a copy of the entry along.
        numbers.reserveCapacity(numbers.count + Self.requestNumbers + attempts * Self.attemptNumbers)
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
        append(entry.usage)
        append(entry.cost)
        append(name: entry.rescuedFrom, .rescuedFrom)
        append(name: entry.fallback, .fallback)
        append(entry.chargedTokens)
        append(entry.chargedCost)
        append(Int64(attempts))
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
            append(entry.attempts[index].usage)
            append(entry.attempts[index].cost)
        }
    }

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

    /// All of them, in the order in which they came.
    var entries: [LedgerEntry] {
        var entries: [LedgerEntry] = []
        entries.reserveCapacity(count)
        var reader = Reader(page: self)
        for _ in 0..<count { entries.append(reader.entry()) }
        return entries
    }

    /// Takes numbers and bytes in the order in which `append` has put them.
    private struct Reader {
        let page: EntryPage
        private var number = 0
        private var byte = 0

        init(page: EntryPage) { self.page = page }

        mutating func entry() -> LedgerEntry {
            let id = text() ?? ""
            let at = next()
            var entry = LedgerEntry(
                id: id, at: at, key: name() ?? "", dialect: name() ?? "", endpoint: name() ?? "", status: 0)
            entry.model = name()
            entry.servedModel = name()
            entry.upstream = name()
            entry.status = Int(next())
            entry.error = name()
            entry.isStreaming = next() == 1
            entry.wait = next()
            entry.firstToken = known()
            entry.total = next()
            entry.usage = usage()
            entry.cost = known()
            entry.rescuedFrom = name()
            entry.fallback = name()
            entry.chargedTokens = next()
            entry.chargedCost = next()
            let attempts = Int(next())
            entry.attempts.reserveCapacity(attempts)
            for _ in 0..<attempts { entry.attempts.append(attempt()) }
            return entry
        }

        private mutating func attempt() -> LedgerAttempt {
            let number = Int(next())
            let at = next()
            let upstream = name() ?? ""
            let model = name() ?? ""
            let isModelListed = next() == 1
            let region = name()
            let outcome = name() ?? ""
            let status = known().map { Int($0) }
            let opcRequestID = text()
            let firstToken = known()
            let total = next()
            let usage = usage()
            return LedgerAttempt(
                number: number, at: at, upstream: upstream, model: model, isModelListed: isModelListed, region: region,
                outcome: outcome, status: status, opcRequestID: opcRequestID, firstToken: firstToken, total: total,
                usage: usage, cost: known())
        }

        private mutating func usage() -> LedgerUsage {
            var usage = LedgerUsage()
            usage.truth = UsageTruth(rawValue: Int(next())) ?? .unknown
            usage.prompt = known()
            usage.completion = known()
            usage.cached = known()
            usage.cacheWrites = known()
            usage.reasoning = known()
            usage.charactersIn = known()
            usage.charactersOut = known()
            return usage
        }

        private mutating func next() -> Int64 {
            defer { number += 1 }
            return page.numbers[number]
        }

        private mutating func known() -> Int64? {
            let value = next()
            return value == nothing ? nil : value
        }

        private mutating func name() -> String? { known().map { page.names[Int($0)] } }

        private mutating func text() -> String? {
            guard let count = known() else { return nil }
            defer { byte += Int(count) }
            return String(decoding: page.bytes[byte..<byte + Int(count)], as: UTF8.self)
        }
    }
}
