/// The requests that wait for a permit: served in rounds by client, and first come first served among those of one client.
///
/// A request waits here, in the router's one queue, and not at an upstream: so it takes whichever accepted upstream is free
/// first. Requests on the same terms stand in one row, and only the first of each row has to be looked at, however many wait.
///
/// Rounds are start-time fair queueing with requests of equal size: each client has the number of its next round, which grows by one with
/// each of its requests that is served and never lies behind the present one. Whoever comes first after a pause is in the present round, so
/// nobody saves turns up, and nobody with one request stands behind the hundred of another.
package struct WaitingQueue: Sendable {
    package typealias Ticket = RouteRequest.Ticket
    package typealias Terms = RouteRequest.Terms

    package struct Waiter: Sendable {
        package let request: RouteRequest
        package let since: Duration
        /// When an answer that takes the usual time would come too late.
        package let latestStart: Duration
    }

    /// Those on the same terms, by client, each client's in order.
    fileprivate struct Row {
        var clients: [String: [Ticket]] = [:]
        var count = 0
    }

    private var waiters: [Ticket: Waiter] = [:]
    private var rows: [Terms: Row] = [:]
    /// How many of each client wait.
    private var counts: [String: Int] = [:]
    /// The next round of each client that has been served while others waited.
    private var rounds: [String: Int] = [:]
    private var round = 0
    /// No waiter's time is up before. Looked up anew only when it has passed: it is asked for at the end of every attempt.
    private var quietUntil = Duration.zero

    package init() {}

    package var count: Int { waiters.count }
    package var isEmpty: Bool { waiters.isEmpty }

    /// The one of each row whose turn is next, in the order of turns.
    package var heads: [RouteRequest] {
        let turns: [(Int, Ticket)] = rows.values.compactMap { row in
            row.clients.lazy.compactMap { client, tickets in tickets.first.map { (roundOf(client), $0) } }.min(by: <)
        }
        return turns.sorted(by: <).compactMap { waiters[$0.1]?.request }
    }

    /// For how long the one has waited who came first; zero when there is none. It looks at all of them.
    package func longestWait(at now: Duration) -> Duration {
        waiters.values.lazy.map(\.since).min().map { now - $0 } ?? .zero
    }

    /// How many wait that an upstream could serve.
    package func count(for upstream: Int) -> Int {
        rows.reduce(0) { sum, row in row.key.accepts.contains(upstream) ? sum + row.value.count : sum }
    }

    /// On what terms there is anybody.
    package var terms: some Sequence<Terms> { rows.keys }

    /// How many would be served before a new request of that client, as far as they wait for the same upstreams.
    package func placesBefore(_ request: RouteRequest) -> Int {
        rows.reduce(0) { sum, row in
            guard row.key.accepts.intersects(request.terms.accepts) else { return sum }
            let own = row.value.clients[request.client]?.count ?? 0
            return row.value.clients.reduce(sum) {
                $0 + ($1.key == request.client ? own : min($1.value.count, own + 1))
            }
        }
    }

    /// A request that comes back for another attempt is older than its place in time says: it goes before those of its client that came after
    /// it.
    package mutating func append(_ request: RouteRequest, latestStart: Duration, at now: Duration) {
        quietUntil = waiters.isEmpty ? latestStart : min(quietUntil, latestStart)
        waiters[request.ticket] = Waiter(request: request, since: now, latestStart: latestStart)
        counts[request.client, default: 0] += 1
        // In place: neither the row nor the list is copied.
        rows[request.terms, default: Row()].insert(request)
    }

    /// - Returns: nil when it is not waiting, or no longer.
    @discardableResult
    package mutating func remove(_ ticket: Ticket) -> Waiter? {
        guard let waiter = waiters.removeValue(forKey: ticket) else { return nil }
        let (terms, client) = (waiter.request.terms, waiter.request.client)
        rows[terms]?.remove(waiter.request)
        if rows[terms]?.count == 0 { rows[terms] = nil }
        counts[client] = counts[client].flatMap { $0 > 1 ? $0 - 1 : nil }
        if waiters.isEmpty { (rounds, round) = ([:], 0) }
        return waiter
    }

    /// Takes one out whose turn has come.
    package mutating func serve(_ ticket: Ticket) -> Waiter? {
        guard let client = waiters[ticket]?.request.client else { return nil }
        round = roundOf(client)
        rounds[client] = round + 1
        // Those that lie behind are in the present round anyway.
        if rounds.count > 2 * counts.count + 64 { rounds = rounds.filter { $0.value > round } }
        return remove(ticket)
    }

    /// Takes out all on the same terms. Oldest first.
    package mutating func removeAll(on terms: Terms) -> [Ticket] {
        let tickets = (rows[terms]?.clients.values.flatMap { $0 } ?? []).sorted()
        for ticket in tickets { remove(ticket) }
        return tickets
    }

    /// Takes out those who cannot be served in time any more. Oldest first.
    package mutating func removeOverdue(at now: Duration) -> [Waiter] {
        guard quietUntil <= now, !waiters.isEmpty else { return [] }
        let overdue = waiters.values.filter { $0.latestStart <= now }.sorted { $0.request.ticket < $1.request.ticket }
        for waiter in overdue { remove(waiter.request.ticket) }
        quietUntil = waiters.values.lazy.map(\.latestStart).min() ?? .zero
        return overdue
    }

    /// Who gives up a place in a full queue for this request: the newest of the client that has most places, or of the model of which most
    /// wait for the same client. Nil when nobody has so much more than it that this would be fair.
    package func crowder(for request: RouteRequest) -> Ticket? {
        guard let (client, most) = counts.max(by: { $0.value < $1.value }) else { return nil }
        if most > (counts[request.client] ?? 0) + 1 {
            return rows.values.compactMap { $0.clients[client]?.last }.max()
        }
        let own = rows[request.terms]?.clients[request.client]?.count ?? 0
        let longest = rows.values.compactMap { $0.clients[request.client] }.max { $0.count < $1.count }
        guard let longest, longest.count > own + 1 else { return nil }
        return longest.last
    }

    /// Who would be served last of those that wait for any of the same upstreams, and how many before it.
    package func last(of accepts: UpstreamSet) -> (waiter: Waiter, places: Int)? {
        guard let client = counts.max(by: { $0.value < $1.value })?.key else { return nil }
        let newest = rows.compactMap { $0.key.accepts.intersects(accepts) ? $0.value.clients[client]?.last : nil }.max()
        return newest.flatMap { waiters[$0] }.map { ($0, placesBefore($0.request) - 1) }
    }

    /// Before this moment nobody's time is up; nil when nobody waits.
    package var nextDeadline: Duration? { waiters.isEmpty ? nil : quietUntil }

    private func roundOf(_ client: String) -> Int { max(rounds[client] ?? 0, round) }
}

extension WaitingQueue.Row {
    fileprivate mutating func insert(_ request: RouteRequest) {
        count += 1
        let ticket = request.ticket
        clients[request.client, default: []].insert(inOrder: ticket)
    }

    fileprivate mutating func remove(_ request: RouteRequest) {
        guard let index = clients[request.client]?.firstIndex(of: request.ticket) else { return }
        clients[request.client]?.remove(at: index)
        count -= 1
        if clients[request.client]?.isEmpty == true { clients[request.client] = nil }
    }
}

extension [RouteRequest.Ticket] {
    fileprivate mutating func insert(inOrder ticket: Element) {
        if last.map({ $0 < ticket }) ?? true { return append(ticket) }
        insert(ticket, at: lastIndex { $0 < ticket }.map { $0 + 1 } ?? 0)
    }
}
