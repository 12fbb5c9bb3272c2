/// The id of a request's row: when it arrived, in microseconds since 1970, and some bits that tell those of one moment apart.
///
/// Rows of a time are rows of a range of ids, and new rows come in near the end of the table.
struct RowID {
    static let bits: Int64 = 9
    private static let mask: Int64 = 1 << bits - 1

    /// The SQL for the moment of a row, from its id.
    static func at(_ id: String) -> String { "(\(id) >> \(bits))" }

    /// The least id of a moment.
    ///
    /// - Parameter at: 0 or more, and `booked` or a second more at most.
    static func first(at microseconds: Int64) -> Int64 { microseconds << bits }

    /// The last id that was given. 0 is none's.
    private var last: Int64 = 0
    private var sequence: Int64 = 0

    /// Begins a batch. What is of the same moment as something in an earlier one gets other bits, unless there were hundreds in between.
    mutating func begin() { last = 0 }

    /// An id for a row of a batch that is in the order of time. Where the bits of one moment are used up, it is the next microsecond's.
    mutating func next(at microseconds: Int64) -> Int64 {
        sequence &+= 1
        last = max(Self.first(at: microseconds) | (sequence & Self.mask), last + 1)
        return last
    }

    /// An id that nobody has, for a row whose own has been taken: anywhere in a time that doubles with each try.
    ///
    /// - Parameter isTaken: asked some times more than the rows of one moment can be halved.
    mutating func free(near microseconds: Int64, isTaken: (Int64) throws -> Bool) rethrows -> Int64 {
        var within: UInt64 = 1
        while true {
            sequence &+= 1
            // Anything that differs from try to try.
            let spread = UInt64(bitPattern: sequence &* 0x1E37_79B9_7F4A_7C15) >> 20
            let moment = (microseconds.booked + Int64(spread & (within - 1))).booked
            let id = Self.first(at: moment) | (sequence & Self.mask)
            if try id > 0 && !isTaken(id) { return id }
            within = min(within * 2, 1 << 40)
        }
    }
}
