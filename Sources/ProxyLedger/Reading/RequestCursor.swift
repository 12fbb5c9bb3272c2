import GRDB

/// A place in the requests of a range, in time order. Rows that come in before it while somebody reads are not seen.
struct RequestCursor: Sendable {
    /// Without `at >= ?`, by which SQLite would look for the first row of the range again at each step.
    static let condition = "at < ? AND (at, id) > (?, ?)"

    /// Microseconds.
    private let to: Int64
    private var last: (at: Int64, id: Int64)

    /// - Parameters: seconds since 1970, from the first, before the second.
    init(from: Int64, to: Int64) {
        self.to = Self.microseconds(to)
        last = (Self.microseconds(from), 0)
    }

    var arguments: StatementArguments { [to, last.at, last.id] }

    mutating func pass(at: Int64, id: Int64) { last = (at, id) }

    /// Any number of seconds, in the range that rows can have.
    static func microseconds(_ seconds: Int64) -> Int64 {
        min(max(seconds, 0), .largestBooked / 1_000_000 + 1) * 1_000_000
    }
}
