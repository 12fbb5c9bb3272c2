/// How far a zone's clock is from UTC at any moment, as a file of the time zone database says (TZif, RFC 9636).
///
/// Foundation would know it too, but not in a statically linked program: there it has no zones, not even UTC.
struct ZoneRules: Sendable, Equatable {
    /// Seconds since 1970 at which the offset changes, ascending.
    private let changes: [Int64]
    /// Seconds east of UTC: before the first change, and from each one on.
    private let offsets: [Int64]
    /// What holds behind the last change; nil when the last offset stays.
    private let yearly: YearlyZoneRule?

    static let utc = ZoneRules(changes: [], offsets: [0], yearly: nil)

    private init(changes: [Int64], offsets: [Int64], yearly: YearlyZoneRule?) {
        self.changes = changes
        self.offsets = offsets
        self.yearly = yearly
    }

    /// Seconds east of UTC.
    ///
    /// - Parameter moment: seconds since 1970.
    func offset(at moment: Int64) -> Int64 {
        if let yearly, changes.last.map({ moment >= $0 }) ?? true { return yearly.offset(at: moment) }
        var (low, high) = (0, changes.count)
        while low < high {
            let middle = (low + high) / 2
            if changes[middle] <= moment { low = middle + 1 } else { high = middle }
        }
        return offsets[low]
    }

    /// - Parameter bytes: of a TZif file. Nil is returned when they are none, or count leap seconds.
    init?(tzif bytes: [UInt8]) {
        var reader = ByteReader(bytes[...])
        guard let first = Header(&reader) else { return nil }
        guard first.version >= 2 else {
            self.init(&reader, first, width: 4, hasFooter: false)
            return
        }
        // The first part is for readers of old; the second one has the same in 64 bits.
        guard reader.take(first.length(width: 4)) != nil, let second = Header(&reader) else { return nil }
        self.init(&reader, second, width: 8, hasFooter: true)
    }

    private init?(_ reader: inout ByteReader, _ header: Header, width: Int, hasFooter: Bool) {
        guard header.leaps == 0, header.types > 0 else { return nil }
        var changes: [Int64] = []
        for _ in 0..<header.changes {
            guard let change = reader.integer(width: width), changes.last.map({ $0 < change }) ?? true else {
                return nil
            }
            changes.append(change)
        }
        guard let kinds = reader.take(header.changes) else { return nil }
        var types: [Int64] = []
        for _ in 0..<header.types {
            guard let offset = reader.integer(width: 4), reader.take(2) != nil, abs(offset) < 26 * 3_600 else {
                return nil
            }
            types.append(offset)
        }
        guard kinds.allSatisfy({ Int($0) < types.count }) else { return nil }
        var yearly: YearlyZoneRule?
        if hasFooter {
            guard reader.take(header.length(width: width) - header.changes * (width + 1) - header.types * 6) != nil,
                let footer = reader.line()
            else { return nil }
            if !footer.isEmpty {
                guard let rule = YearlyZoneRule(footer) else { return nil }
                yearly = rule
            }
        }
        self.init(changes: changes, offsets: [types[0]] + kinds.map { types[Int($0)] }, yearly: yearly)
    }

    private struct Header {
        let version: Int
        let changes: Int
        let types: Int
        let leaps: Int
        private let others: Int
        private let letters: Int

        init?(_ reader: inout ByteReader) {
            guard let magic = reader.take(4), magic.elementsEqual("TZif".utf8), let version = reader.take(1)?.first,
                reader.take(15) != nil
            else { return nil }
            var counts: [Int] = []
            for _ in 0..<6 {
                guard let count = reader.integer(width: 4), count >= 0, count < 100_000 else { return nil }
                counts.append(Int(count))
            }
            self.version = version == 0 ? 1 : Int(version) - 0x30
            others = counts[0] + counts[1]
            (leaps, changes, types, letters) = (counts[2], counts[3], counts[4], counts[5])
        }

        /// Of the data behind the header, with moments of so many bytes.
        func length(width: Int) -> Int {
            changes * (width + 1) + types * 6 + letters + leaps * (width + 4) + others
        }
    }

    private struct ByteReader {
        private var rest: ArraySlice<UInt8>

        init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

        mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
            guard count >= 0, rest.count >= count else { return nil }
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count)
        }

        /// The most significant byte first, in two's complement.
        mutating func integer(width: Int) -> Int64? {
            guard let bytes = take(width) else { return nil }
            let value = bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return width == 4 ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value)
        }

        /// What stands between two line ends.
        mutating func line() -> String? {
            guard take(1)?.first == 0x0A, let end = rest.firstIndex(of: 0x0A) else { return nil }
            return String(decoding: rest[..<end], as: UTF8.self)
        }
    }
}
