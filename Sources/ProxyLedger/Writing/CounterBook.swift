import ProxyAccounting

/// What keys are to be charged with, until it is written. It is bounded by keys times windows, however long that takes.
struct CounterBook {
    struct Cell: Hashable {
        var key: String
        var window: BudgetWindow
        /// Seconds since 1970.
        var start: Int64
    }
    struct Sums: Equatable {
        var requests: Int64 = 0
        var tokens: Int64 = 0
        var cost: NanoDollars = 0

        mutating func add(_ other: Sums) {
            requests.addSaturating(other.requests)
            tokens.addSaturating(other.tokens)
            cost.addSaturating(other.cost)
        }
    }
    /// All time zones' offsets are whole quarters of an hour, so no period of any window ends within one: charges are gathered by it, and
    /// the calendar is asked once for all of them.
    private struct Quarter: Hashable {
        var key: String
        var start: Int64
    }

    private static let quarter: Int64 = 900
    /// Beyond so many, periods that have ended are let go of.
    private static let bound = 20_000

    private var recent: [Quarter: Sums] = [:]
    private var cells: [Cell: Sums] = [:]

    var isEmpty: Bool { recent.isEmpty && cells.isEmpty }

    /// Requests of periods that may not have ended.
    var requests: Int64 {
        var sum = recent.values.reduce(0) { $0 + $1.requests }
        for (cell, sums) in cells where cell.window == .total { sum += sums.requests }
        return sum
    }

    /// - Parameter key: the name of the row's.
    mutating func charge(_ row: EntryRow, _ key: String, _ periodStart: (BudgetWindow, Int64) -> Int64) {
        let quarter = max(row.at, 0) / 1_000_000 / Self.quarter * Self.quarter
        recent[Quarter(key: key, start: quarter), default: Sums()].add(
            Sums(requests: 1, tokens: row.chargedTokens.booked, cost: row.chargedCost.booked))
        if recent.count > 1000 { fold(periodStart) }
    }

    mutating func merge(_ other: CounterBook) {
        recent.merge(other.recent) { left, right in left.adding(right) }
        cells.merge(other.cells) { left, right in left.adding(right) }
        trim()
    }

    /// All of it, by windows and their periods.
    mutating func folded(_ periodStart: (BudgetWindow, Int64) -> Int64) -> [Cell: Sums] {
        fold(periodStart)
        return cells
    }

    private mutating func fold(_ periodStart: (BudgetWindow, Int64) -> Int64) {
        var starts: [Int64: [Int64]] = [:]
        for (quarter, sums) in recent {
            let periods = starts[quarter.start] ?? BudgetWindow.allCases.map { periodStart($0, quarter.start) }
            starts[quarter.start] = periods
            for (window, start) in zip(BudgetWindow.allCases, periods) {
                cells[Cell(key: quarter.key, window: window, start: start), default: Sums()].add(sums)
            }
        }
        recent.removeAll(keepingCapacity: true)
        trim()
    }

    /// Lets go of the periods that are not the newest of their window: no budget asks for them any more.
    private mutating func trim() {
        guard cells.count > Self.bound else { return }
        var newest: [BudgetWindow: Int64] = [:]
        for cell in cells.keys { newest[cell.window] = max(newest[cell.window] ?? .min, cell.start) }
        cells = cells.filter { $0.key.start == newest[$0.key.window] }
    }
}

extension CounterBook.Sums {
    func adding(_ other: CounterBook.Sums) -> CounterBook.Sums {
        var sum = self
        sum.add(other)
        return sum
    }
}
