import NIOHTTP1
import ProxyAccounting
import ProxyRouting

/// `/dashboard/login` and `/dashboard/session`: a browser shows a key once and gets a cookie for it.
struct OperatorSignIn: Sendable {
    let keys: ClientKeys
    let sessions: OperatorSessions
    let time: TimeSource

    /// `POST` and `DELETE /dashboard/login`.
    func respond(_ context: RequestContext) throws(Failure) {
        if context.request.head.method == .DELETE { return try leave(context) }
        try enter(context)
    }

    private func enter(_ context: RequestContext) throws(Failure) {
        let head = context.request.head
        // A foreign page is not to sign anybody in.
        if let objection = LocalAccess.objection(toPageOf: head) {
            throw Failure(.forbidden(.page), "Signing in was refused: \(objection).")
        }
        let body = try RequestField(body: context.request.body).value
        guard body.kind == .object, let key = body["key"]?.string, !key.isEmpty else {
            throw .invalidRequest(
                "'key' is missing: send {\"key\": \"...\"} with the key of a viewer or an administrator.",
                field: "key", as: .missing)
        }
        let now = time.wallClock()
        guard let caller = keys.caller(showing: key), let digest = Digest32(of: key[...].trimmingBlanks()) else {
            throw .wrongKey
        }
        if let expiry = caller.limits.expires, caller.hasExpired(at: now) { throw .expiredKey(caller, at: expiry) }
        guard caller.limits.role >= .viewer else {
            throw Failure(
                .forbidden(.role),
                "The API key \(caller.name.quotable) has the role client. The dashboard needs a key with the role viewer or admin."
            )
        }
        guard let token = sessions.open(for: digest, isEncrypted: context.request.peer.isEncrypted, at: now) else {
            throw Failure(.internalError, "SHA-256 is not available.")
        }
        var response = Self.answer(caller, until: now + OperatorSessions.lifetime)
        response.headers.add(
            name: "set-cookie", value: OperatorSessions.cookie(token, isEncrypted: context.request.peer.isEncrypted))
        context.send(response)
    }

    private func leave(_ context: RequestContext) throws(Failure) {
        let head = context.request.head
        guard head.headers.value(of: OperatorSessions.headerName) == "1" else {
            throw Failure(.forbidden(.role), "Signing out needs the header x-ociai-dashboard: 1.")
        }
        sessions.close(by: head)
        var response = Response(status: .noContent)
        response.headers.add(
            name: "set-cookie", value: OperatorSessions.cookie(nil, isEncrypted: context.request.peer.isEncrypted))
        context.send(response)
    }

    /// `GET /dashboard/session`, of somebody who has been let in: who that is.
    func session(_ context: RequestContext) -> Response {
        Self.answer(
            context.caller, until: sessions.end(of: context.request.head, at: time.wallClock()))
    }

    /// Whether who was let in would be let in now: its key may have been revoked or have expired, and its session ended. A key of the file stays until
    /// a reload.
    @Sendable func stillHolds(_ context: RequestContext) -> Bool {
        guard context.caller != nil else { return true }
        let (head, now) = (context.request.head, time.wallClock())
        if case .holder(let caller) = keys.verdict(on: head.headers) { return !caller.hasExpired(at: now) }
        return sessions.caller(of: head, by: keys, at: now) != nil
    }

    /// - Parameter caller: nil is the operator on the machine itself.
    private static func answer(_ caller: Caller?, until end: Int64?) -> Response {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("role")
        writer.string((caller?.limits.role ?? .admin).rawValue)
        writer.key("name")
        writer.string(caller?.name ?? "local operator")
        writer.key("local")
        writer.bool(caller == nil)
        writer.key("expires_at")
        writer.moment(end)
        writer.endObject()
        return .unstored(writer.bytes)
    }
}
