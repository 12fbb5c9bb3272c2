import NIOHTTP1
import ProxyAccounting
import ProxyRouting

/// `/admin/keys`: the keys that administrators make, change and take back while the proxy runs.
struct KeysRoute: Sendable {
    /// Of the configuration file.
    let fileKeys: [ClientKey]
    let managed: ManagedKeys
    /// Where managed keys are kept; without it there are none.
    let ledger: (any Ledger)?
    let time: TimeSource

    /// `GET` and `POST /admin/keys`.
    nonisolated(nonsending) func respond(_ context: RequestContext) async throws {
        guard context.request.head.method == .POST else { return context.send(list()) }
        context.send(try await create(context))
    }

    /// `GET` and `DELETE /admin/keys/NAME`, `GET /admin/keys/NAME/history` and `POST /admin/keys/NAME/rotate`.
    nonisolated(nonsending) func change(_ context: RequestContext) async throws {
        let path = context.rest ?? ""
        if path.hasSuffix("/history") { return try await history(of: String(path.dropLast("/history".count)), context) }
        let isRotation = path.hasSuffix("/rotate")
        let name = isRotation ? String(path.dropLast("/rotate".count)) : path
        let method = context.request.head.method
        switch (method, isRotation) {
        case (.POST, true): context.send(try await rotate(name, context))
        case (.DELETE, false): context.send(try await revoke(name, context))
        case (.GET, false), (.HEAD, false): context.send(try one(name))
        default:
            context.allowedMethods = isRotation ? [.POST] : [.GET, .DELETE]
            throw Failure.methodNotAllowed(method, allowed: context.allowedMethods)
        }
    }

    // MARK: Reading

    private func list() -> Response {
        Self.list { writer in
            for key in fileKeys { write(key, to: &writer) }
            for key in managed.all { write(key, to: &writer) }
        }
    }

    /// - Parameter elements: writes them.
    private static func list(_ elements: (inout JSONWriter) -> Void) -> Response {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("object")
        writer.string(literal: "list")
        writer.key("data")
        writer.beginArray()
        elements(&writer)
        writer.endArray()
        writer.endObject()
        return .json(writer.bytes)
    }

    private func one(_ name: String) throws(Failure) -> Response {
        var writer = JSONWriter()
        if let key = managed[name] {
            write(key, to: &writer)
        } else if let key = fileKeys.first(where: { $0.name == name }) {
            write(key, to: &writer)
        } else {
            throw .noSuchKey(name)
        }
        return .json(writer.bytes)
    }

    /// What has been done to keys, of all of them where the name is `*`: the last of it, in the order of time.
    private nonisolated(nonsending) func history(of name: String, _ context: RequestContext) async throws {
        let method = context.request.head.method
        guard method == .GET || method == .HEAD else {
            context.allowedMethods = [.GET]
            throw Failure.methodNotAllowed(method, allowed: context.allowedMethods)
        }
        let ledger = try store()
        let changes = try await LedgerRoute.reading {
            try await ledger.keyChanges(of: name == "*" ? nil : name, limit: Self.longestHistory)
        }
        if changes.isEmpty, name != "*" { _ = try one(name) }
        context.send(
            Self.list { writer in
                for change in changes {
                    writer.beginObject()
                    writer.key("at")
                    writer.moment(change.at)
                    for (title, text) in [("key", change.key), ("action", change.action), ("by", change.actor)] {
                        writer.key(title)
                        writer.string(text)
                    }
                    writer.endObject()
                }
            })
    }

    private static let longestHistory = 1000

    // MARK: Changing

    private nonisolated(nonsending) func create(_ context: RequestContext) async throws -> Response {
        let body = try Self.object(context)
        guard let name = body.present("name")?.string else {
            throw Failure.invalidRequest("'name' is missing: name the key.", field: "name", as: .missing)
        }
        if let problem = KeyName.problem(with: name) {
            throw Failure.invalidRequest(
                "The name '\(name.quotable)' cannot be used: \(problem).", field: "name", as: .value)
        }
        let limits: KeyLimits
        do throws(KeyLimitsReader.Problem) {
            (limits, _) = try KeyLimitsReader.read(body, besides: ["name"])
        } catch {
            throw Failure.invalidRequest("\(error.message).", field: error.name, as: .value)
        }
        if let expires = limits.expires, expires <= time.wallClock() {
            throw Failure.invalidRequest("'expires' is in the past.", field: "expires", as: .value)
        }
        let secret = KeyText.make()
        let ledger = try store()
        try claim(name)
        defer { managed.end(name) }
        let folded = name.lowercased()
        guard !(managed.all.map(\.name) + fileKeys.map(\.name)).contains(where: { $0.lowercased() == folded }) else {
            throw Failure(
                .conflict, "There is, or was, a key '\(name.quotable)'. Choose another name.")
        }
        let key = ManagedKey(
            name: name, digest: try Self.digest(of: secret), prefix: KeyText.prefix(of: secret),
            created: time.wallClock(), limits: limits)
        try await save(key, "create", in: ledger, context)
        return shown(key, secret, status: .created)
    }

    private nonisolated(nonsending) func rotate(_ name: String, _ context: RequestContext) async throws -> Response {
        var grace = Duration.seconds(24 * 3600)
        let body = context.request.body.isEmpty ? nil : try Self.object(context)
        if let body {
            for (key, _) in body.members where key.string?.lowercased() != "grace" {
                throw Failure.invalidRequest(
                    "Unknown member '\((key.string ?? "").quotable)': use grace.", field: key.string?.quotable,
                    as: .value)
            }
        }
        if let value = body?.present("grace") {
            guard let text = value.string ?? value.int.map(String.init),
                let duration = ValueKind<Duration>.grace.parse(text)
            else {
                throw Failure.invalidRequest(
                    "'grace' must be \(ValueKind<Duration>.grace.expectation).", field: "grace", as: .value)
            }
            grace = duration
        }
        let ledger = try store()
        try claim(name)
        defer { managed.end(name) }
        var key = try changeable(name)
        guard key.revoked == nil else {
            throw Failure(.conflict, "The key '\(name.quotable)' has been revoked. Create another one.")
        }
        let now = time.wallClock()
        if let expires = key.limits.expires, expires <= now {
            throw Failure(
                .conflict,
                "The key '\(name.quotable)' expired at \(RFC3339.format(expires)), and another one of that name would have expired too. Create a key of another name."
            )
        }
        let secret = KeyText.make()
        // Those that it has replaced before get no more time than it gets now.
        let end = now + grace.components.seconds
        key.former = key.former.map { ManagedKey.Former(digest: $0.digest, until: min($0.until, end)) }
        key.former.removeAll { $0.until <= now }
        if grace > .zero {
            key.former.append(ManagedKey.Former(digest: key.digest, until: end))
        }
        key.digest = try Self.digest(of: secret)
        key.prefix = KeyText.prefix(of: secret)
        try await save(key, "rotate", in: ledger, context)
        return shown(key, secret, status: .ok)
    }

    private nonisolated(nonsending) func revoke(_ name: String, _ context: RequestContext) async throws -> Response {
        let ledger = try store()
        try claim(name)
        defer { managed.end(name) }
        var key = try changeable(name)
        key.revoked = key.revoked ?? time.wallClock()
        key.former = []
        // A key that has leaked must be stopped now, whatever the disk does.
        managed.put(key)
        do {
            try await ledger.save(key, action: "revoke", by: actor(context))
        } catch {
            throw Failure(
                .overloaded(.ledger),
                "The key is refused from now on, but that could not be written, so that it would work again after a restart. Revoke it again later. The reason: \(error)",
                retryAfter: 5)
        }
        return try one(name)
    }

    private func store() throws(Failure) -> any Ledger {
        guard let ledger else {
            throw Failure(
                .overloaded(.ledger),
                "Keys cannot be managed, because the proxy has no state directory. Set state_dir in the config file.")
        }
        return ledger
    }

    private func claim(_ name: String) throws(Failure) {
        guard managed.begin(name) else {
            throw Failure(.conflict, "The key '\(name.quotable)' is being changed by another request. Try again.")
        }
    }

    private func changeable(_ name: String) throws(Failure) -> ManagedKey {
        guard let key = managed[name] else {
            guard fileKeys.contains(where: { $0.name == name }) else { throw .noSuchKey(name) }
            throw Failure(
                .conflict, "The key '\(name.quotable)' is in the config file. Change it there, and reload.")
        }
        return key
    }

    private nonisolated(nonsending) func save(
        _ key: ManagedKey, _ action: String, in ledger: any Ledger, _ context: RequestContext
    ) async throws {
        do {
            try await ledger.save(key, action: action, by: actor(context))
        } catch {
            throw Failure(
                .overloaded(.ledger), "Nothing has changed, because the key could not be written: \(error)",
                retryAfter: 5)
        }
        managed.put(key)
    }

    private func actor(_ context: RequestContext) -> String { context.caller?.name ?? "local operator" }

    private static func object(_ context: RequestContext) throws(Failure) -> JSONValue {
        let root = try RequestField(body: context.request.body).value
        guard root.kind == .object else {
            throw .invalidRequest("The body must be an object.", field: nil, as: .type)
        }
        return root
    }

    private static func digest(of secret: String) throws(Failure) -> [UInt8] {
        guard let digest = SHA256.digest(of: Array(secret.utf8)) else {
            throw Failure(.internalError, "SHA-256 is not available.")
        }
        return digest
    }

    // MARK: Writing

    /// The only answer in which a key ever stands.
    private func shown(_ key: ManagedKey, _ secret: String, status: HTTPResponseStatus) -> Response {
        var writer = JSONWriter()
        write(key, secret, to: &writer)
        return .unstored(writer.bytes, status: status)
    }

    private func write(_ key: ManagedKey, _ secret: String? = nil, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("name")
        writer.string(key.name)
        if let secret {
            writer.key("key")
            writer.string(secret)
        }
        writer.key("source")
        writer.string(literal: "managed")
        writer.key("prefix")
        writer.string(key.prefix)
        for (name, moment) in [("created_at", key.created as Int64?), ("revoked_at", key.revoked)] {
            writer.key(name)
            writer.moment(moment)
        }
        let now = time.wallClock()
        writer.key("former_keys_until")
        writer.beginArray()
        for former in key.former where former.until > now { writer.moment(former.until) }
        writer.endArray()
        writer.limits(key.limits)
        writer.endObject()
    }

    private func write(_ key: ClientKey, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("name")
        writer.string(key.name)
        writer.key("source")
        writer.string(literal: "file")
        writer.limits(key.limits)
        writer.endObject()
    }
}

extension JSONWriter {
    /// The members that say what a key may use.
    mutating func limits(_ limits: KeyLimits) {
        key("role")
        string(limits.role.rawValue)
        key("expires")
        moment(limits.expires)
        key("models")
        beginArray()
        for model in limits.models { string(model) }
        endArray()
        for (name, limit) in [
            ("rpm", limits.requestsPerMinute), ("tpm", limits.tokensPerMinute),
            ("max_concurrency", limits.maxConcurrency),
        ] {
            key(name)
            if let limit { int(limit) } else { null() }
        }
        for (name, budgets) in [("budget_hard", limits.hardBudgets), ("budget_soft", limits.softBudgets)] {
            key(name)
            beginArray()
            for budget in budgets { string(BudgetText.text(budget)) }
            endArray()
        }
    }
}

extension Failure {
    fileprivate static func noSuchKey(_ name: String) -> Failure {
        Failure(.notFound(.key), "There is no key '\(name.quotable)'. GET /admin/keys lists them.")
    }
}
