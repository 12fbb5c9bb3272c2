import ProxyAccounting
import ProxyRouting
import Synchronization

extension LedgerRoute {
    /// Something that one request at a time may do.
    final class Turn: Sendable {
        private let isTaken = Atomic(false)

        /// - Returns: false while somebody has it.
        func take() -> Bool { !isTaken.exchange(true, ordering: .acquiring) }
        func giveBack() { isTaken.store(false, ordering: .releasing) }
    }

    /// `POST /admin/ledger/reprice`: costs by the prices of the moment. It ends when the client leaves; what has been worked out by then is right
    /// and stays.
    nonisolated(nonsending) func reprice(_ context: RequestContext) async throws -> Response {
        let since = try Self.start(context.request.body)
        let ledger = try store()
        // Two with different prices would leave some rows of each.
        guard turn.take() else {
            throw Failure(.conflict, "Costs are being worked out anew by another request. Try again when it has ended.")
        }
        defer { turn.giveBack() }
        let changed: Int
        do {
            changed = try await ledger.reprice(since: since) { [prices] in prices.cost(of: $0) }
        } catch {
            try Task.checkCancellation()
            throw Failure(
                .overloaded(.ledger),
                "Not all costs could be worked out anew: \(error) Ask again later: what has been done stays.",
                retryAfter: 5)
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("object")
        writer.string(literal: "ledger.reprice")
        writer.key("since")
        writer.moment(since)
        writer.key("changed")
        writer.int(changed)
        writer.endObject()
        return .json(writer.bytes)
    }

    private static func start(_ body: [UInt8]) throws(Failure) -> Int64 {
        let root = try RequestField(body: body).value
        guard root.kind == .object else {
            throw .invalidRequest("The body must be an object.", field: nil, as: .type)
        }
        for (key, _) in root.members where key.string?.lowercased() != "since" {
            throw .invalidRequest(
                "Unknown member '\((key.string ?? "").quotable)': use since.", field: key.string?.quotable, as: .value)
        }
        guard let value = root.present("since") else {
            throw .invalidRequest(
                "'since' is missing: say from when on costs are to be worked out anew.", field: "since", as: .missing)
        }
        guard let text = value.string, let seconds = ValueKind<Int64>.moment.parse(text) else {
            throw .invalidRequest(
                "'since' must be \(ValueKind<Int64>.moment.expectation).", field: "since", as: .value)
        }
        return seconds
    }
}
