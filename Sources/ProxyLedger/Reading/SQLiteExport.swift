import GRDB
import ProxyAccounting

/// An export that reads a thousand rows at each call. Between calls it holds nothing but its place.
actor SQLiteExport: LedgerExport {
    /// Where a step goes on from.
    private enum Place: Sendable {
        case requests(RequestCursor)
        case days(to: Int64, last: DayCell)

        var arguments: StatementArguments {
            switch self {
            case .requests(let cursor): cursor.arguments
            case .days(let to, let last): [to, last.day, last.key, last.upstream, last.model]
            }
        }

        mutating func pass(_ row: Row) {
            switch self {
            case .requests(var cursor):
                cursor.pass(at: row[0], id: row[1])
                self = .requests(cursor)
            case .days(let to, _):
                self = .days(to: to, last: DayCell(day: row[0], key: row[1], upstream: row[2], model: row[3]))
            }
        }
    }

    private let order: LedgerExportOrder
    private let reader: LedgerReader
    private var place: Place
    private var isFirst = true
    private var isDone = false
    private var isReading = false

    init(_ order: LedgerExportOrder, _ reader: LedgerReader) {
        self.order = order
        self.reader = reader
        guard order.level == .day else {
            place = .requests(RequestCursor(from: order.from, to: order.to))
            return
        }
        // Every day that the range touches.
        let from = RequestCursor.microseconds(order.from) / 1_000_000
        let to = order.from < order.to ? RequestCursor.microseconds(order.to) / 1_000_000 : 0
        place = .days(
            to: (to + Timestamp.day - 1) / Timestamp.day,
            last: DayCell(day: from / Timestamp.day, key: -1, upstream: 0, model: 0))
    }

    func next() async throws -> [UInt8]? {
        precondition(!isReading, "one piece at a time")
        isReading = true
        defer { isReading = false }
        while !isDone {
            let (order, place, isFirst) = (order, place, isFirst)
            let step = try await reader.read { db in try Self.step(order, place, isFirst: isFirst, db) }
            self.place = step.place
            self.isFirst = false
            isDone = step.isLast
            if !step.bytes.isEmpty { return step.bytes }
        }
        return nil
    }

    private struct Step: Sendable {
        var bytes: [UInt8]
        var place: Place
        var isLast: Bool
    }

    private static func step(_ order: LedgerExportOrder, _ place: Place, isFirst: Bool, _ db: Database) throws -> Step {
        var text = ExportText(order.level.columns, order.format)
        if isFirst { text.header() }
        var place = place
        var count = 0
        let rows = try Row.fetchCursor(db.cachedStatement(sql: order.level.sql), arguments: place.arguments)
        while let row = try rows.next() {
            count += 1
            place.pass(row)
            if row[2] as Int64? != nil { text.row(row, from: order.level.placeCount) }
        }
        // Attempts can be more than their requests, and only an empty step is sure to be the last.
        let isLast = order.level == .attempt ? count == 0 : count < LedgerExportOrder.Level.step
        return Step(bytes: text.bytes, place: place, isLast: isLast)
    }
}
