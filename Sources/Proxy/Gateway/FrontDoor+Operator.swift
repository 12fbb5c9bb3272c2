import NIOHTTP1
import ProxyRouting

/// Who may use what is for the operator.
extension FrontDoor {
    /// Lets in who has a key, or sits at this machine, where that is asked for. What calls upstreams or reads files costs a request of the
    /// key's minute, as a chat does.
    nonisolated(nonsending) func admitOperator(
        _ context: RequestContext, _ endpoint: Endpoint, _ entrance: Entrance
    ) async throws {
        let request = context.request
        switch keys.verdict(on: request.head.headers) {
        case .holder(let caller): try admit(caller, context, endpoint)
        case .wrong: throw Failure.wrongKey
        case .none:
            if let caller = try viewer(of: request.head, at: endpoint) { return try admit(caller, context, endpoint) }
            // Who has left already is not worth a look.
            try Task.checkCancellation()
            if let objection = await localAccess.objection(
                to: request.head, from: request.peer, by: entrance, changes: endpoint.access == .admin)
            {
                throw Failure.notLocal(objection)
            }
        }
    }

    /// Who has signed in at the dashboard; nil when nobody has.
    ///
    /// - Throws: when the request would change something, and may not come from there.
    func viewer(of head: HTTPRequestHead, at endpoint: Endpoint) throws(Failure) -> Caller? {
        guard let caller = sessions.caller(of: head, by: keys, at: time.wallClock()) else { return nil }
        if let objection = OperatorSessions.objection(to: head, at: endpoint) { throw objection }
        return caller
    }

    private func admit(_ caller: Caller, _ context: RequestContext, _ endpoint: Endpoint) throws(Failure) {
        context.caller = caller
        if let failure = objection(to: caller, at: endpoint) { throw failure }
        if endpoint.isCharged { try charge(caller, context) }
    }
}
