import NIOHTTP1
import ProxyAccounting
import ProxyRouting

extension LedgerRoute {
    /// `GET /admin/ledger/requests`: single requests, the newest first, a page at a time.
    nonisolated(nonsending) func requests(_ context: RequestContext) async throws -> Response {
        let query = try LedgerQuery(
            context.request.head.uri,
            allowing: ["from", "to", "key", "model", "upstream", "status", "limit", "before"], at: time.wallClock())
        var search = RequestSearch(from: query.from, to: query.to)
        (search.key, search.model, search.upstream) = (
            query.values["key"], query.values["model"], query.values["upstream"]
        )
        if let status = query.values["status"] { search.status = try Self.status(status) }
        if let limit = query.values["limit"] {
            guard let number = Int(limit), (1...1000).contains(number) else {
                throw Failure.invalidRequest("'limit' must be from 1 to 1000.", field: "limit", as: .value)
            }
            search.limit = number
        }
        if let before = query.values["before"] {
            guard let place = Int64(before), place > 0 else {
                throw Failure.invalidRequest(
                    "'before' must be the value of 'next' of another page.", field: "before", as: .value)
            }
            search.before = place
        }
        let ledger = try store()
        let page = try await Self.reading { [search] in try await ledger.requests(search) }
        var writer = JSONWriter(capacity: 256 + page.rows.count * 600)
        writer.beginObject()
        writer.key("object")
        writer.string(literal: "ledger.requests")
        writer.key("from")
        writer.moment(search.from)
        writer.key("to")
        writer.moment(search.to)
        writer.key("rows")
        writer.beginArray()
        for row in page.rows { writer.raw(row[...]) }
        writer.endArray()
        writer.key("next")
        writer.text(page.next.map { String($0) })
        writer.endObject()
        return .json(writer.bytes)
    }

    private static func status(_ text: String) throws(Failure) -> RequestSearch.Status {
        switch text {
        case "ok": return .ok
        case "failed": return .failed
        default:
            guard let number = Int(text), (100...599).contains(number) else {
                throw .invalidRequest(
                    "'status' must be ok, failed, or a status such as 429.", field: "status", as: .value)
            }
            return .exactly(number)
        }
    }
}
