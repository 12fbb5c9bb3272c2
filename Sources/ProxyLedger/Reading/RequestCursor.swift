import GRDB

/// A place in the requests of a range, in time order. Rows that come in before it while somebody reads are not seen.
struct RequestCursor: Sendable {
    static let condition = "id > ? AND id < ?"

    /// The id before which the range ends.
    private let end: Int64
    private(set) var last: Int64

    /// - Parameters: seconds since 1970, from the first, before the second.
    init(from: Int64, to: Int64) {
        end = RowID.first(at: Self.microseconds(to))
        last = RowID.first(at: Self.microseconds(from)) - 1
    }

    var arguments: StatementArguments { [last, end] }

    mutating func pass(_ id: Int64) { last = id }

    /// Any number of seconds, in the range that rows can have.
    static func microseconds(_ seconds: Int64) -> Int64 {
        min(max(seconds, 0), .largestBooked / 1_000_000 + 1) * 1_000_000
    }
}
