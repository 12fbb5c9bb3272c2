import ProxyRouting

/// `POST /admin/…`: what an operator may do while the proxy runs.
struct AdminRoute: Sendable {
    let router: Router
    let accountList: AccountList
    let directory: ModelDirectory
    private let rounds: SharedRounds<ModelDiscovery.Report?>

    init(
        router: Router, accountList: AccountList, discovery: ModelDiscovery, directory: ModelDirectory,
        pace: RoundPace = RoundPace(), time: TimeSource
    ) {
        self.router = router
        self.accountList = accountList
        self.directory = directory
        rounds = SharedRounds(every: .seconds(2), by: pace, time: time) { await discovery.refresh() }
    }

    /// Asks every account for its models, now, or within two seconds when somebody has just done so; for all who want it by then.
    ///
    /// - Throws: `CancellationError` when the proxy is ending.
    func refreshModels() async throws -> Response {
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
    /// - Parameter parameters: of the query: `account`, and `model`, as clients name it or by its id at the upstreams.
    /// - Throws: 404 for an account or a model that is not there, 400 for another parameter: it would reset more than was meant.
    func resetBreakers(_ parameters: [(name: String, value: String?)]) async throws(Failure) -> Response {
        var (id, model): (String?, String?)
        for (name, value) in parameters {
            func refusal(_ fault: String) -> Failure {
                .invalidRequest(
                    "The parameter '\(name.quotable)' is \(fault); nothing was reset. Send ?account=ID, ?model=NAME, or both, once each.",
                    field: name.quotable)
            }
            let known = name == "account" ? id : model
            guard name == "account" || name == "model" else { throw refusal("unknown") }
            guard known == nil else { throw refusal("repeated") }
            guard let value, !value.isEmpty else { throw refusal("empty or malformed") }
            if name == "account" { id = value } else { model = value }
        }
        let accounts = accountList.places.filter { id == nil || router.upstreams[$0].id == id }
        guard !accounts.isEmpty || id == nil else {
            throw Failure(
                .notFound(.account),
                "Unknown account '\((id ?? "").quotable)'. The accounts are: \(accountList.places.map { router.upstreams[$0].id }.joined(separator: ", ")).",
                field: "account")
        }
        let target = model.flatMap { try? directory.catalog.resolve($0) }
        let reset = await router.resetBreakers(
            of: target.map { target in accounts.filter { target.accepts.contains($0) } } ?? accounts,
            model: target?.serving.id ?? model, isKnown: target != nil)
        guard model == nil || !reset.isEmpty else {
            throw Failure(
                .notFound(.model),
                "Unknown model '\((model ?? "").quotable)'. /stats/circuit-breaker lists the models that are failing or unavailable.",
                field: "model")
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
