/// The requests that wait for a permit: first come first served among those on the same terms.
///
/// A request waits here, in the router's one line, and not at an upstream: so it takes whichever accepted upstream is free
/// first. Requests on the same terms stand in one row, and only the first of each row has to be looked at, however many wait.
package struct WaitingLine: Sendable {
    package typealias Ticket = RouteRequest.Ticket
    package typealias Terms = RouteRequest.Terms

    package struct Waiter: Sendable {
        package let request: RouteRequest
        package let since: Duration
    }

    private var waiters: [Ticket: Waiter] = [:]
    /// Tickets in order, under the terms that they have in common.
    private var rows: [Terms: [Ticket]] = [:]
    /// No waiter's time is up before. Looked up anew only when it has passed: it is asked for at the end of every attempt.
    private var quietUntil = Duration.zero

    package init() {}

    package var count: Int { waiters.count }
    package var isEmpty: Bool { waiters.isEmpty }

    /// The first of each row, oldest first.
    package var heads: [RouteRequest] {
        rows.values.compactMap { $0.first.flatMap { waiters[$0]?.request } }.sorted { $0.ticket < $1.ticket }
    }

    /// A request that comes back for another attempt is older than its place in time says: it goes before those that came
    /// after it.
    package mutating func append(_ request: RouteRequest, at now: Duration) {
        quietUntil = waiters.isEmpty ? request.deadline : min(quietUntil, request.deadline)
        waiters[request.ticket] = Waiter(request: request, since: now)
        var row = rows[request.terms] ?? []
        rows[request.terms] = nil
        row.insert(request.ticket, at: row.lastIndex { $0 < request.ticket }.map { $0 + 1 } ?? 0)
        rows[request.terms] = row
    }

    /// - Returns: nil when it is not waiting, or no longer.
    @discardableResult
    package mutating func remove(_ ticket: Ticket) -> Waiter? {
        guard let waiter = waiters.removeValue(forKey: ticket) else { return nil }
        let terms = waiter.request.terms
        guard var row = rows.removeValue(forKey: terms) else { return waiter }
        if let index = row.firstIndex(of: ticket) { row.remove(at: index) }
        if !row.isEmpty { rows[terms] = row }
        return waiter
    }

    /// Takes out all on the same terms. Oldest first.
    package mutating func removeAll(on terms: Terms) -> [Ticket] {
        let row = rows.removeValue(forKey: terms) ?? []
        for ticket in row { waiters[ticket] = nil }
        return row
    }

    /// Takes out those whose time is up. Oldest first.
    package mutating func removeOverdue(at now: Duration) -> [Ticket] {
        guard quietUntil <= now, !waiters.isEmpty else { return [] }
        let overdue = waiters.values.filter { $0.request.deadline <= now }.map(\.request.ticket).sorted()
        for ticket in overdue { remove(ticket) }
        quietUntil = waiters.values.lazy.map(\.request.deadline).min() ?? .zero
        return overdue
    }

    /// Before this moment nobody's time is up; nil when nobody waits.
    package var nextDeadline: Duration? { waiters.isEmpty ? nil : quietUntil }
}
