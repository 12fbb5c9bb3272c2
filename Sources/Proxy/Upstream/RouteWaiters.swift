import ProxyRouting

/// Requests in the queue, each with the task that waits for its permit.
struct RouteWaiters {
    typealias Outcome = Result<Router.Permit, RouteRefusal>
    typealias Waiter = CheckedContinuation<Outcome, Never>

    private enum State {
        case parked(Waiter)
        /// It was served before its task had parked: another job of the actor may run between the decision and the parking.
        case served(Outcome)
    }

    private var states: [RouteRequest.Ticket: State] = [:]

    /// The task waits from now on, unless its request has been served.
    mutating func park(_ waiter: Waiter, as ticket: RouteRequest.Ticket) {
        if case .served(let outcome)? = states.removeValue(forKey: ticket) {
            waiter.resume(returning: outcome)
        } else {
            states[ticket] = .parked(waiter)
        }
    }

    /// The request has left the queue, with that outcome.
    mutating func resume(_ ticket: RouteRequest.Ticket, with outcome: Outcome) {
        if case .parked(let waiter)? = states.removeValue(forKey: ticket) {
            waiter.resume(returning: outcome)
        } else {
            states[ticket] = .served(outcome)
        }
    }
}
