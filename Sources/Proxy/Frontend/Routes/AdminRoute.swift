/// `POST /admin/…`: what an operator may do while the proxy runs.
struct AdminRoute: Sendable {
    let router: Router
    let roster: Roster
    let directory: ModelDirectory
    private let rounds: SharedRounds<ModelDiscovery.Report?>

    init(router: Router, roster: Roster, discovery: ModelDiscovery, directory: ModelDirectory, time: TimeSource) {
        self.router = router
        self.roster = roster
        self.directory = directory
        rounds = SharedRounds(every: .seconds(2), time: time) { await discovery.refresh() }
    }

    /// Asks every account for its models, now, or within two seconds when somebody has just done so; for all who want it by then.
    ///
    /// - Throws: `CancellationError` when the proxy is ending.
    func refreshModels() async throws -> Answer {
        guard let report = await rounds.fresh() else { throw CancellationError() }
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("models")
        writer.int(directory.catalog.entries.count)
        for (key, names) in [("added", report.added), ("removed", report.removed)] {
            writer.key(key)
            writer.beginArray()
            for name in names { writer.string(name) }
            writer.endArray()
        }
        writer.key("accounts")
        writer.beginObject()
        for account in report.accounts {
            writer.key(account.id)
            writer.beginObject()
            writer.key("ok")
            writer.bool(account.error == nil)
            writer.key("models")
            writer.int(account.models)
            if let error = account.error {
                writer.key("error")
                writer.string(error)
            }
            writer.endObject()
        }
        writer.endObject()
        writer.endObject()
        return .json(writer.bytes)
    }

    /// Closes the breakers and ends the cooldowns of all accounts, or of one; of all models there, or of one.
    ///
    /// - Parameter model: as clients name it, or its id at the upstreams.
    /// - Throws: 404 for an id that no account has.
    func resetBreakers(_ id: String?, model: String?) async throws(APIError) -> Answer {
        let served = model.map { name in (try? directory.catalog.resolve(name))?.serving.id ?? name }
        guard let reset = await router.resetBreakers(of: id, model: served, among: roster.places) else {
            throw APIError(
                status: 404,
                message: "No account has the id '\((id ?? "").quotable)'. The ids are: \(roster.places.map { router.upstreams[$0].id }.joined(separator: ", ")).",
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
