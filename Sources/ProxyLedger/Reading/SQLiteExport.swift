import GRDB
import ProxyAccounting

/// An export that reads a thousand rows at each call. Between calls it holds nothing but its place.
actor SQLiteExport: LedgerExport {
    /// Where a step goes on from.
    fileprivate enum Place: Sendable {
        case requests(RequestCursor)
        case days(to: Int64, last: SumCell)
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
            last: SumCell(start: from / Timestamp.day, key: -1, upstream: 0, model: 0))
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
        let arguments: StatementArguments
        var endOfStep: Int64?
        switch place {
        case .days(let to, let last): arguments = [to, last.start, last.key, last.upstream, last.model]
        case .requests(let cursor) where order.level == .attempt:
            let last = try Int64.fetchOne(
                db.cachedStatement(sql: LedgerExportOrder.Level.lastOfStep), arguments: cursor.arguments)
            guard let last else { return Step(bytes: text.bytes, place: place, isLast: true) }
            endOfStep = last
            arguments = [cursor.last, last]
        case .requests(let cursor): arguments = cursor.arguments
        }
        var next = place
        var count = 0
        let rows = try Row.fetchCursor(db.cachedStatement(sql: order.level.sql), arguments: arguments)
        while let row = try rows.next() {
            count += 1
            text.row(row, from: order.level.placeCount)
            next.pass(row)
        }
        if let endOfStep {
            next.pass(endOfStep)
            return Step(bytes: text.bytes, place: next, isLast: false)
        }
        return Step(bytes: text.bytes, place: next, isLast: count < LedgerExportOrder.Level.step)
    }
}

extension SQLiteExport.Place {
    fileprivate mutating func pass(_ row: Row) {
        switch self {
        case .requests: pass(row[0] as Int64)
        case .days(let to, _):
            self = .days(to: to, last: SumCell(start: row[0], key: row[1], upstream: row[2], model: row[3]))
        }
    }

    fileprivate mutating func pass(_ id: Int64) {
        guard case .requests(var cursor) = self else { return }
        cursor.pass(id)
        self = .requests(cursor)
    }
}
