/// `router_settings`, `litellm_settings` and `general_settings`.
extension LiteLLMImport {
    mutating func readSettings(_ root: [YAMLMember]) {
        let router = root["router_settings"]?.value.members ?? []
        let litellm = root["litellm_settings"]?.value.members ?? []
        let general = root["general_settings"]?.value.members ?? []
        readMasterKey(general)
        readStrategy(router["routing_strategy"])
        readRetries(router["num_retries"] ?? litellm["num_retries"], other: litellm["num_retries"])
        readBreaker(router, litellm)
        readTimeouts(router, litellm)
        readLimits(router, litellm, general)
        readHealth(general)
        readLogging(router, litellm)
        readHabits(litellm, general)
        for (members, reasons) in [
            (router, LiteLLMReasons.router), (litellm, LiteLLMReasons.litellm), (general, LiteLLMReasons.general),
        ] {
            for member in members where fates.notes[member.id] == nil {
                if let reason = reasons[member.key] { fates.drop(member, reason) }
            }
        }
    }

    // MARK: Keys

    private mutating func readMasterKey(_ general: [YAMLMember]) {
        guard let member = general["master_key"], !member.value.isNull, let text = member.value.text, !text.isEmpty
        else {
            if let member = general["master_key"] {
                fates.drop(member, "it is \(member.value.kindName), so the proxy makes a key")
            }
            return
        }
        if References.isReference(text) {
            guard let written = written(member, isSecret: true) else { return }
            plan.clientKeys = .init(
                "api_key", written.value, "What clients send. It may do everything, as long as no key has a role.")
            fates.take(member, "api_key")
        } else {
            let reference = references.written(
                text, as: "LITELLM_MASTER_KEY", at: "general_settings.master_key", .main, member.line)
            plan.clientKeys = .init(
                "api_key", reference, "What clients send. It may do everything, as long as no key has a role.")
            fates.change(member, "api_key, by reference: the file has the key itself")
            if text.utf8.count < 16 {
                steps.append(
                    "choose a longer key in place of the one in line \(member.line): the proxy refuses keys of fewer than 16 characters when it listens to the network"
                )
            }
        }
    }

    // MARK: Routing

    private mutating func readStrategy(_ member: YAMLMember?) {
        let isWeighted = accounts.contains { $0.weight != nil }
        let strategy = member?.value.text
        switch strategy {
        case "least-busy":
            plan.setGlobal("load_balance_strategy", "least_connections")
            if let member { fates.take(member, "load_balance_strategy = least_connections") }
        case nil, "simple-shuffle":
            if isWeighted { plan.setGlobal("load_balance_strategy", "weighted") }
            if let member {
                if strategy == nil {
                    fates.drop(member, "it is \(member.value.kindName)")
                } else {
                    fates.change(
                        member,
                        "load_balance_strategy = \(isWeighted ? "weighted" : "round_robin"): in turn, and not by chance"
                    )
                }
            }
        case "usage-based-routing", "usage-based-routing-v2", "latency-based-routing":
            plan.setGlobal("load_balance_strategy", "least_connections")
            if let member {
                fates.change(
                    member,
                    "load_balance_strategy = least_connections, which comes nearest: who is slow or full has more requests in flight"
                )
            }
        case .some:
            if isWeighted { plan.setGlobal("load_balance_strategy", "weighted") }
            if let member { fates.drop(member, "the proxy has round_robin, weighted and least_connections") }
        }
    }

    private mutating func readRetries(_ member: YAMLMember?, other: YAMLMember?) {
        guard let member else { return }
        if let other, other.id != member.id { fates.drop(other, "router_settings.num_retries comes before it") }
        guard let count = member.value.integer, (0...100).contains(count) else {
            return fates.drop(member, "retry_attempts is a whole number from 0 to 100")
        }
        plan.setGlobal("retry_attempts", "\(count)")
        fates.change(
            member, "retry_attempts: further attempts, at another upstream first, before the first word of an answer")
    }

    /// LiteLLM counts by the minute, and the proxy in a row.
    private mutating func readBreaker(_ router: [YAMLMember], _ litellm: [YAMLMember]) {
        if let member = first("allowed_fails", router, litellm) {
            if let count = member.value.integer, (0...999_999).contains(count) {
                plan.setBreaker("max_failures", "\(count + 1)")
                fates.change(
                    member,
                    "max_failures = \(count + 1): failures in a row, of one model at an upstream, and not by the minute"
                )
            } else {
                fates.drop(member, "max_failures is a whole number from 1 to 1000000")
            }
        }
        if let member = first("cooldown_time", router, litellm) {
            if let text = member.value.number.flatMap(Seconds.text) {
                plan.setBreaker("reset_timeout", text)
                fates.change(
                    member,
                    "reset_timeout, after which one request probes the upstream; a health check that succeeds ends it earlier"
                )
            } else {
                fates.drop(member, "reset_timeout is from 1ms to 168h")
            }
        }
    }

    private mutating func readTimeouts(_ router: [YAMLMember], _ litellm: [YAMLMember]) {
        let timeouts = [router["timeout"], router["request_timeout"], litellm["request_timeout"]].compactMap(\.self)
        for (index, member) in timeouts.enumerated() {
            if index > 0 {
                fates.drop(member, "the router's timeout comes before it")
            } else if let text = member.value.number.flatMap(Seconds.text) {
                plan.setGlobal("request_timeout", text)
                fates.change(
                    member,
                    "request_timeout: for the whole request with all its attempts, and of a stream until its first event"
                )
            } else {
                fates.drop(member, "request_timeout is from 1ms to 168h")
            }
        }
        if let member = first("stream_timeout", router, litellm) {
            if let text = member.value.number.flatMap(Seconds.text) {
                plan.setGlobal("stream_timeout", text)
                fates.change(member, "stream_timeout: the longest silence inside a stream")
            } else {
                fates.drop(member, "stream_timeout is from 1ms to 168h")
            }
        }
    }

    // MARK: Limits

    private mutating func readLimits(_ router: [YAMLMember], _ litellm: [YAMLMember], _ general: [YAMLMember]) {
        count(general["global_max_parallel_requests"], 1...100_000, "global_max_concurrency", isSame: true)
        count(
            general["max_parallel_requests"] ?? litellm["max_parallel_requests"], 0...1_000_000,
            "max_concurrency_per_key", isSame: false)
        if let member = router["default_max_parallel_requests"] {
            if let count = member.value.integer, (1...100_000).contains(count), !accounts.isEmpty {
                for index in plan.accounts.indices where accounts[index].maxConcurrency == nil {
                    plan.accounts[index].entries.append(.init("max_concurrency", "\(count)"))
                }
                fates.change(
                    member,
                    "max_concurrency of each account, for all its models together; a provider has no such setting yet")
            } else {
                fates.drop(
                    member, PendingSetting(setting: "max_concurrency", kind: .count, isSupported: false).reason())
            }
        }
        size(general["max_request_size_mb"], "max_request_size")
        size(general["max_response_size_mb"], "max_response_size")
        if let member = general["maximum_spend_logs_retention_period"] {
            if let text = member.value.text, let days = Self.days(text) {
                plan.setGlobal("ledger_retention", days)
                fates.take(member, "ledger_retention")
            } else {
                fates.drop(member, "ledger_retention is from 1h to 3650d, such as 90d")
            }
        }
    }

    /// `30d`, `12h`; nil for what the ledger does not take.
    private static func days(_ text: String) -> String? {
        guard let unit = text.last, let count = Int(text.dropLast()), count > 0 else { return nil }
        let most = unit == "d" ? 3650 : unit == "h" ? 3650 * 24 : 0
        return count <= most ? "\(count)\(unit)" : nil
    }

    private mutating func count(_ member: YAMLMember?, _ range: ClosedRange<Int>, _ setting: String, isSame: Bool) {
        guard let member, fates.notes[member.id] == nil else { return }
        guard let count = member.value.integer, range.contains(count) else {
            return fates.drop(member, "\(setting) is a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        plan.setGlobal(setting, "\(count)")
        if isSame {
            fates.take(member, setting)
        } else {
            fates.change(member, "\(setting): of each key, waiting ones included")
        }
    }

    private mutating func size(_ member: YAMLMember?, _ setting: String) {
        guard let member else { return }
        guard let count = member.value.integer, (1...1024).contains(count) else {
            return fates.drop(member, "\(setting) is from 1 byte to 1 GiB")
        }
        plan.setGlobal(setting, "\(count)MB")
        fates.take(member, setting)
    }

    // MARK: Watching

    private mutating func readHealth(_ general: [YAMLMember]) {
        let background = general["background_health_checks"]
        let interval = general["health_check_interval"]
        let isOn = background?.value.flag
        if let background {
            if isOn == nil {
                fates.drop(background, "it is no switch")
            } else {
                fates.change(
                    background,
                    isOn == true
                        ? "health checks are on in any case"
                        : "health checks cost nothing here: they list models, and ask for no answer")
            }
        }
        guard let interval else { return }
        guard let seconds = interval.value.number, let text = Seconds.text(seconds) else {
            return fates.drop(interval, "health_check_interval is from 1ms to 168h")
        }
        plan.setGlobal("health_check_interval", text)
        fates.change(interval, "health_check_interval: models are listed, and no answer is asked for")
    }

    private mutating func readLogging(_ router: [YAMLMember], _ litellm: [YAMLMember]) {
        if let member = litellm["json_logs"] {
            if let isJSON = member.value.flag {
                if isJSON { plan.setGlobal("log_format", "json") }
                fates.take(member, "log_format = \(isJSON ? "json" : "text")")
            } else {
                fates.drop(member, "it is no switch")
            }
        }
        for member in [router["set_verbose"], litellm["set_verbose"]].compactMap(\.self) {
            guard let isVerbose = member.value.flag else {
                fates.drop(member, "it is no switch")
                continue
            }
            if isVerbose { plan.setGlobal("log_level", "debug") }
            fates.change(member, "log_level = \(isVerbose ? "debug" : "info"), which shows no prompts and answers")
        }
    }

    /// What the proxy does in its own way, whatever is said.
    private mutating func readHabits(_ litellm: [YAMLMember], _ general: [YAMLMember]) {
        if let member = litellm["drop_params"] {
            let isOn = member.value.flag == true
            fates.change(
                member,
                isOn
                    ? "parameters that a model of OCI does not take are left out in any case; to a provider they pass, and its refusal comes back"
                    : "parameters that a model of OCI does not take are left out all the same")
        }
    }

    /// The router's, before the other; that one is told of.
    private mutating func first(_ key: String, _ router: [YAMLMember], _ litellm: [YAMLMember]) -> YAMLMember? {
        guard let member = router[key] else { return litellm[key] }
        if let other = litellm[key] { fates.drop(other, "router_settings.\(key) comes before it") }
        return member
    }
}
