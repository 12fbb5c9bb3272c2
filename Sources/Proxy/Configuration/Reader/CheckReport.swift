package import ProxyAccounting

/// What `-check` prints about a configuration that can run. Never a secret.
package enum CheckReport {
    /// One line each, without line ends.
    ///
    /// - Parameters:
    ///   - prices: all that hold; nil where they are not known.
    ///   - ledger: where the ledger is, and why there; nil where that is not known.
    package static func lines(_ settings: Settings, prices: PriceTable? = nil, ledger place: String? = nil) -> [String]
    {
        let server = settings.server
        let host = server.host.contains(":") ? "[\(server.host)]" : server.host
        let port = server.port == 0 ? "any free port" : "\(server.port)"
        var lines = [
            "mode: \(settings.mode.rawValue)",
            "listen: \(host):\(port)\(server.tlsCertificate == nil ? "" : " (TLS)")",
            "client keys: \(keys(settings))",
        ]
        if let admin = server.admin { lines.insert("operator's endpoints: \(admin)", at: 2) }
        lines += (settings.clientKeys + (settings.needsGeneratedKey ? [settings.generatedKey] : [])).flatMap(
            limits(of:))
        if let sentence = settings.fullRightSentence { lines.append("  note: \(sentence)") }
        if settings.mode != .aggregator || !settings.accounts.isEmpty {
            lines.append(
                "accounts: \(settings.usableAccounts.count) of \(settings.accounts.count) usable"
                    + (settings.mode == .multiAccount ? ", strategy \(settings.routing.strategy.rawValue)" : ""))
            for account in settings.accounts { lines += describe(account) }
        }
        lines += providers(settings)
        if settings.mode != .aggregator || !settings.models.isEmpty {
            lines.append("models: \(settings.models.isEmpty ? "no aliases" : "\(settings.models.count)")")
        }
        for model in settings.models {
            lines.append("  \(model.name) -> \(model.target)\(model.isDedicatedEndpoint ? " (dedicated)" : "")")
        }
        let receivers = [
            settings.alerts.webhook.map { _ in "webhook" }, settings.alerts.command.map { _ in "command" },
        ]
        if !receivers.compactMap(\.self).isEmpty {
            lines.append("alerts: by \(receivers.compactMap(\.self).joined(separator: " and "))")
        }
        for (old, new) in settings.successors.sorted(by: { $0.key < $1.key }) {
            lines.append("successor: \(INIDocument.shown(old)) -> \(INIDocument.shown(new)) on the day it retires")
        }
        if !settings.fallbacks.isEmpty { lines.append("fallbacks: \(settings.fallbacks.count)") }
        for chain in settings.fallbacks {
            lines.append("  \(chain.model) -> \(chain.alternatives.joined(separator: ", "))")
        }
        lines.append(responses(settings.responses))
        lines += ledger(settings.ledger, in: place)
        if let prices { lines += Self.prices(prices, settings) }
        lines += rescue(settings)
        return lines + limits(settings) + timeouts(settings.timeouts) + [
            breaker(settings.breaker), log(settings.logging),
        ]
    }

    private static func keys(_ settings: Settings) -> String {
        let names = settings.clientKeys.map(\.name)
        let pending = settings.needsGeneratedKey ? ["one to be generated at the first start"] : []
        return (names + pending).joined(separator: ", ")
    }

    /// What a key may do and use, where that is less or more than usual.
    private static func limits(of key: ClientKey) -> [String] {
        let limits = key.limits
        var parts: [String] = []
        if limits.role != .client { parts.append("role \(limits.role.rawValue)") }
        if let expires = limits.expires { parts.append("expires \(RFC3339.format(expires))") }
        if !limits.models.isEmpty { parts.append("models \(limits.models.joined(separator: " or "))") }
        if let limit = limits.requestsPerMinute { parts.append("rpm \(limit)") }
        if let limit = limits.tokensPerMinute { parts.append("tpm \(limit)") }
        if let limit = limits.maxConcurrency { parts.append("max_concurrency \(limit)") }
        if !limits.hardBudgets.isEmpty { parts.append("budget_hard \(BudgetText.text(limits.hardBudgets))") }
        if !limits.softBudgets.isEmpty { parts.append("budget_soft \(BudgetText.text(limits.softBudgets))") }
        return parts.isEmpty ? [] : ["  \(key.name): \(parts.joined(separator: ", "))"]
    }

    private static func ledger(_ ledger: LedgerSettings, in known: String?) -> [String] {
        let place =
            switch ledger.directory {
            case .off: "off"
            case .standard where known != nil: "in \(known ?? "")"
            case .standard: "in the state directory of the service, or beside the configuration file"
            case .named(let path): "in \(path)"
            }
        var lines = ["ledger: \(place)"]
        if ledger.directory != .off {
            lines[0] += ", rows kept for \(ledger.retention.components.seconds / 86_400) days"
        }
        lines.append("budgets begin anew in the time zone \(ledger.timeZone)")
        if let file = ledger.pricesFile { lines.append("prices file: \(file)") }
        for price in ledger.prices { lines.append("  price of \(price.name): \(PriceText.text(price.price))") }
        return lines
    }

    private static func describe(_ entry: AccountEntry) -> [String] {
        switch entry {
        case .unusable(let id, let line, let errors):
            return ["  \(id) (line \(line)): unusable, \(errors.count == 1 ? "1 error" : "\(errors.count) errors")"]
        case .usable(let account):
            return [
                "  \(account.id): region \(account.region), weight \(account.weight), "
                    + "max_concurrency \(account.maxConcurrency)\(account.isEnabled ? "" : ", disabled")",
                "    endpoint \(account.endpoint)",
                "    management endpoint \(account.managementEndpoint)",
                "    \(credentials(account.credentials))",
                "    compartment \(account.compartment)",
            ]
                + (account.project.map { ["    project \($0), Responses pass to OCI for the models that have them"] }
                    ?? [])
        }
    }

    private static func providers(_ settings: Settings) -> [String] {
        guard !settings.providers.isEmpty else { return [] }
        let members = Dictionary(grouping: settings.providers, by: \.name)
        let pools = members.count { $0.value.count > 1 }
        var lines = [
            "providers: \(settings.providers.count)"
                + (pools == 0 ? "" : ", including \(pools) \(pools == 1 ? "pool" : "pools")")
                + ", strategy \(settings.routing.strategy.rawValue)"
        ]
        for provider in settings.providers {
            let pool = members[provider.name, default: []].count > 1 ? " (pool \(provider.name))" : ""
            lines += [
                "  \(provider.id)\(pool): \(provider.baseURL), \(provider.token == nil ? "no token" : "with a token"), "
                    + "max_concurrency \(provider.maxConcurrency)",
                "    speaks \(ProviderDialect.allCases.filter { $0 == .chat || provider.dialects.contains($0) }.map(\.rawValue).joined(separator: ", "))",
                "    models \(provider.models.map { $0.joined(separator: ", ") } ?? "from the provider's model list")",
            ]
        }
        let patterns = settings.supportedModels.patterns
        lines.append(
            "served models: \(patterns.isEmpty ? "all" : "those that match \(patterns.joined(separator: " or "))")")
        let connections = settings.connections
        lines.append(
            "connections: \(connections.keptAlive) kept alive for \(GoDuration.format(connections.keepAliveExpiry))")
        return lines
    }

    private static func credentials(_ credentials: Credentials) -> String {
        func passPhrase(_ secret: Secret?) -> String { secret == nil ? "" : " (with a passphrase)" }
        func origin(_ value: ResourcePrincipalSettings.Value) -> String {
            value.path.map { "file \($0)" } ?? "the environment"
        }
        switch credentials {
        case .apiKey(let identity):
            return "auth api_key, key file \(identity.keyFile)\(passPhrase(identity.passPhrase))"
        case .securityToken(let identity):
            return
                "auth security_token, token file \(identity.tokenFile), key file \(identity.keyFile)\(passPhrase(identity.passPhrase))"
        case .instancePrincipal(let places):
            return "auth instance_principal, metadata service \(places.metadata.first ?? "")"
        case .resourcePrincipal(let settings):
            return
                "auth resource_principal, token from \(origin(settings.token)), key from \(origin(settings.privateKey))"
        case .okeWorkloadIdentity(let settings): return "auth oke_workload_identity, token service \(settings.service)"
        case .bearer: return "auth bearer, chats at /openai/v1"
        }
    }

    private static func limits(_ settings: Settings) -> [String] {
        let limits = settings.limits
        return [
            "limits: \(limits.globalMaxConcurrency) concurrent requests, \(limits.queueSize) queued, "
                + "request \(ByteSize.format(limits.maxRequestSize)), "
                + "response \(ByteSize.format(limits.maxResponseSize)), "
                + "all bodies \(limits.maxBodyMemory.map(ByteSize.format) ?? "a quarter of the memory"), "
                + (limits.maxConcurrencyPerKey > 0
                    ? "\(limits.maxConcurrencyPerKey) concurrent requests per key, " : "")
                + "\(limits.defaultMaxTokens) tokens by default, \(settings.routing.retryAttempts) retries"
        ]
    }

    private static func responses(_ responses: ResponsesSettings) -> String {
        responses.isStored
            ? "stored responses: at most \(responses.count), for \(GoDuration.format(responses.timeToLive))"
            : "stored responses: none"
    }

    private static func rescue(_ settings: Settings) -> [String] {
        let rescue = settings.rescue
        let own =
            rescue.models.sorted { $0.key < $1.key }.map { "  \($0.key): \($0.value.rawValue)" }
            + settings.providers.compactMap { provider in provider.rescue.map { "  \(provider.id): \($0.rawValue)" } }
        return ["rescue of broken streams: \(rescue.mode.rawValue), within \(GoDuration.format(rescue.timeout))"] + own
    }

    private static func timeouts(_ timeouts: TimeoutSettings) -> [String] {
        func orOff(_ duration: Duration) -> String { duration == .zero ? "off" : GoDuration.format(duration) }
        return [
            "timeouts: request \(GoDuration.format(timeouts.request)), "
                + (timeouts.nonStream.map { "non-stream \(GoDuration.format($0)), " } ?? "")
                + "stream \(GoDuration.format(timeouts.stream)), "
                + "head \(orOff(timeouts.head)), first token \(orOff(timeouts.firstToken)), keep-alive \(orOff(timeouts.keepAliveInterval)), "
                + "shutdown \(GoDuration.format(timeouts.shutdownGrace))",
            "intervals: health check \(orOff(timeouts.healthCheckInterval)), "
                + "model refresh \(GoDuration.format(timeouts.modelsRefreshInterval))",
        ]
    }

    private static func breaker(_ breaker: BreakerSettings) -> String {
        "circuit breaker: \(breaker.maxFailures) consecutive failures, or a failure rate of \(breaker.failureRate) over at least "
            + "\(breaker.minRequests) requests; open for \(GoDuration.format(breaker.resetTimeout))"
    }

    private static func log(_ logging: LoggingSettings) -> String {
        "log: \(logging.level.rawValue) as \(logging.format.rawValue) to \(logging.file ?? "standard error")"
    }
}
