import NIOCore
import NIOHTTP1
import ProxyAccounting
import ProxyRouting

/// `/admin/ledger`: what has been written down about requests, as tables and as rows.
struct LedgerRoute: Sendable {
    /// Nil where nothing is written down.
    let ledger: (any Ledger)?
    let time: TimeSource
    /// By which costs are worked out anew.
    var prices = LedgerPrices()
    /// Of all configurations of the process.
    var turn = Turn()

    /// `GET /admin/ledger/SUBJECT`.
    nonisolated(nonsending) func report(_ context: RequestContext) async throws -> Response {
        let name = context.rest ?? ""
        guard let subject = LedgerQuestion.Subject(rawValue: name) else {
            throw Failure(
                .notFound(.path),
                "There is no table '\(name.quotable)' of the ledger. Use one of \(LedgerQuestion.Subject.allCases.map(\.rawValue).joined(separator: ", ")), or export."
            )
        }
        let query = try LedgerQuery(context.request.head.uri, allowing: ["from", "to", "key"], at: time.wallClock())
        let question = LedgerQuestion(subject, from: query.from, to: query.to, key: query.values["key"])
        let ledger = try store()
        let table = try await Self.reading { try await ledger.report(question) }
        return .json(Self.document(table, of: question))
    }

    /// `GET /admin/ledger/export`: rows in time order, as they are read.
    nonisolated(nonsending) func export(_ context: RequestContext) async throws {
        let query = try LedgerQuery(
            context.request.head.uri, allowing: ["from", "to", "format", "level"], at: time.wallClock())
        let order = LedgerExportOrder(
            try query.choice("level", else: .request), as: try query.choice("format", else: .jsonl), from: query.from,
            to: query.to)
        let ledger = try store()
        // What cannot be read at all is an error, and no half of a file.
        var (rows, piece): (any LedgerExport, [UInt8]?) = try await Self.reading {
            let rows = try ledger.export(order)
            return (rows, try await rows.next())
        }
        guard let stream = context.begin(Self.headers(of: order)) else { return }
        defer { context.record.sent = stream.sent }
        while let bytes = piece {
            try await stream.send(ByteBuffer(bytes: bytes))
            do {
                piece = try await rows.next()
            } catch {
                context.breakOff()
                throw CancellationError()
            }
        }
        stream.finish()
    }

    /// - Throws: `Failure` 503 in place of what the ledger throws; `CancellationError` when the client has left.
    static nonisolated(nonsending) func reading<Value>(
        _ work: nonisolated(nonsending) () async throws -> Value
    ) async throws -> Value {
        do {
            return try await work()
        } catch {
            try Task.checkCancellation()
            throw Failure(.overloaded(.ledger), "The ledger cannot be read: \(error)", retryAfter: 5)
        }
    }

    func store() throws(Failure) -> any Ledger {
        guard let ledger else {
            throw Failure(
                .overloaded(.ledger),
                "Requests are not recorded, because the proxy has no state directory. Set state_dir in the config file."
            )
        }
        return ledger
    }

    private static func headers(of order: LedgerExportOrder) -> HTTPHeaders {
        let type =
            switch order.format {
            case .csv: "text/csv; charset=utf-8; header=present"
            case .jsonl: "application/x-ndjson"
            }
        return [
            "content-type": type, "cache-control": "no-store",
            "content-disposition": "attachment; filename=\"ledger-\(order.level.rawValue).\(order.format.rawValue)\"",
        ]
    }

    private static func document(_ table: LedgerTable, of question: LedgerQuestion) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("object")
        writer.string(literal: "ledger.table")
        writer.key("subject")
        writer.string(question.subject.rawValue)
        writer.key("from")
        writer.moment(question.from)
        writer.key("to")
        writer.moment(question.to)
        writer.key("rows")
        writer.beginArray()
        for row in table.rows {
            writer.beginObject()
            for (column, value) in zip(table.columns, row) {
                writer.key(column.name)
                switch value {
                case .null: writer.null()
                case .text(let text): writer.string(text)
                case .integer(let number) where column.kind == .milliseconds: writer.double(Double(number) / 1000)
                case .integer(let number): writer.int(Int(number))
                case .real(let number): writer.double(number)
                }
            }
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }
}

/// The query of a question to the ledger: from when to when, and what else it takes.
struct LedgerQuery {
    /// Seconds since 1970.
    let from: Int64
    let to: Int64
    private(set) var values: [String: String] = [:]

    /// - Parameter now: seconds since 1970.
    /// - Throws: `Failure` 400 for what is not known or not valid.
    init(_ target: String, allowing names: Set<String>, at now: Int64) throws(Failure) {
        for (name, value) in RequestTarget.query(of: target) {
            guard names.contains(name) else {
                throw .invalidRequest(
                    "Unknown parameter '\(name.quotable)': use \(names.sorted().joined(separator: ", ")).",
                    field: name.quotable, as: .value)
            }
            guard let value, !value.isEmpty else {
                throw .invalidRequest("The parameter '\(name)' is empty or badly encoded.", field: name, as: .value)
            }
            values[name] = value
        }
        to = try Self.moment("to", in: values) ?? now + 1
        from = try Self.moment("from", in: values) ?? min(to, now) - 30 * 86_400
        guard from <= to else {
            throw .invalidRequest("'from' is later than 'to'.", field: "from", as: .value)
        }
    }

    private static func moment(_ name: String, in values: [String: String]) throws(Failure) -> Int64? {
        guard let text = values[name] else { return nil }
        guard let seconds = ValueKind<Int64>.moment.parse(text) else {
            throw .invalidRequest(
                "'\(name)' must be \(ValueKind<Int64>.moment.expectation).", field: name, as: .value)
        }
        return seconds
    }

    func choice<Value: RawRepresentable & CaseIterable>(_ name: String, else standard: Value) throws(Failure) -> Value
    where Value.RawValue == String {
        guard let text = values[name] else { return standard }
        guard let value = Value(rawValue: text.lowercased()) else {
            throw .invalidRequest(
                "'\(name)' must be one of \(Value.allCases.map(\.rawValue).joined(separator: ", ")).", field: name,
                as: .value)
        }
        return value
    }
}
