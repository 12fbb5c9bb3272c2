/// `POST /admin/…`: what an operator may do while the proxy runs.
struct AdminRoute: Sendable {
    let router: Router

    /// Closes the breakers and ends the cooldowns of all accounts, or of one.
    ///
    /// - Throws: 404 for an id that no account has.
    func resetBreakers(_ id: String?) async throws(APIError) -> Answer {
        guard let reset = await router.resetBreakers(of: id) else {
            throw APIError(
                status: 404,
                message: "No account has the id '\((id ?? "").prefix(200))'. The ids are: \(router.upstreams.map(\.id).joined(separator: ", ")).",
                type: "invalid_request_error", param: "account", code: "account_not_found")
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("reset")
        writer.beginArray()
        for id in reset { writer.string(id) }
        writer.endArray()
        writer.endObject()
        return .json(writer.bytes)
    }
}
