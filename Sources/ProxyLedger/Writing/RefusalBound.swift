/// How many rows a minute has of requests that were refused before any upstream was called: a client that tries again in a loop must not fill the disk.
///
/// The first ones of a key, an error and a status have a row each. The others of that minute are counted in the last of these rows, so that sums are
/// exact.
struct RefusalBound {
    struct Cause: Hashable {
        /// Rows of `dim`.
        var key: Int64
        var error: Int64?
        var status: Int
    }
    private struct Minute {
        var number: Int64
        var rows: Int
        var lastRow: Int64
    }

    static let rowsAMinute = 60
    /// Causes that are remembered.
    private static let bound = 4096

    private let rowsAMinute: Int
    private var minutes: [Cause: Minute] = [:]

    init(rowsAMinute: Int = Self.rowsAMinute) { self.rowsAMinute = rowsAMinute }

    /// The row that another refusal is counted in; nil when it gets its own, which is to be told by `wrote`.
    ///
    /// - Parameter at: microseconds since 1970. One of an earlier minute than the newest counts as of that, but never in another hour's row: roll-ups
    ///   are by hours.
    func row(for cause: Cause, at microseconds: Int64) -> Int64? {
        let number = Self.minute(microseconds)
        guard let minute = minutes[cause], minute.number >= number, minute.rows >= rowsAMinute,
            minute.number / 60 == number / 60
        else { return nil }
        return minute.lastRow
    }

    mutating func wrote(_ row: Int64, for cause: Cause, at microseconds: Int64) {
        let number = Self.minute(microseconds)
        if var minute = minutes[cause], minute.number >= number {
            minute.rows += 1
            minute.lastRow = row
            minutes[cause] = minute
            return
        }
        if minutes.count >= Self.bound { minutes = minutes.filter { $0.value.number >= number } }
        if minutes.count >= Self.bound { minutes.removeAll() }
        minutes[cause] = Minute(number: number, rows: 1, lastRow: row)
    }

    private static func minute(_ microseconds: Int64) -> Int64 { microseconds.booked / 60_000_000 }
}
