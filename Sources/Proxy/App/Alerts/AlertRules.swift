import ProxyAccounting

/// What of the state of things is worth an alert: a value without I/O, which is shown the state now and then.
struct AlertRules: Sendable {
    /// What there is to be seen at one moment.
    struct Look: Sendable {
        struct Upstream: Sendable {
            var id: String
            var state: WindowSource.Word
            /// Seconds since 1970.
            var until: Int64?
            var lastError: String?
        }
        struct Model: Sendable {
            var name: String
            /// Seconds since 1970.
            var retires: Int64
            var successor: String?
        }
        /// Seconds since 1970.
        var at: Int64
        /// Without those that are switched off.
        var upstreams: [Upstream] = []
        var models: [Model] = []
        var ledger: LedgerFigures?
        /// The listener's certificate: its file, and when it expires in seconds since 1970.
        var certificate: (file: String, expires: Int64)?
    }

    /// An upstream that is out of use for a moment is everyday life.
    static let looksUntilDown = 2
    /// Days before a model goes.
    static let days: [Int64] = [30, 14, 7, 1]
    /// Days before a certificate expires. It is told once a day from then on.
    static let certificateDays: Int64 = 14
    private static let day: Int64 = 86_400

    /// For how many looks each has been down, in a row.
    private var down: [String: Int] = [:]
    private var allDown = 0
    /// Those of which it has been told since they are down.
    private var toldDown: Set<String> = []
    private var hasToldAllDown = false
    /// The least number of days that has been told of each model.
    private var retiring: [String: Int64] = [:]
    private var dropped = 0
    /// Days that the certificate had left when that was told, and when it expires.
    private var lastDay: (left: Int64, expires: Int64)?

    /// What is to be told: that something is down, until `wasSent`.
    mutating func alerts(for look: Look) -> [Alert] {
        upstreams(look) + models(look) + certificate(look) + ledger(look)
    }

    private mutating func upstreams(_ look: Look) -> [Alert] {
        var alerts: [Alert] = []
        var now: [String: Int] = [:]
        for upstream in look.upstreams where [.unhealthy, .open, .unusable].contains(upstream.state) {
            let looks = (down[upstream.id] ?? 0) + 1
            now[upstream.id] = looks
            guard looks >= Self.looksUntilDown, !toldDown.contains(upstream.id) else { continue }
            let reason =
                switch upstream.state {
                case .unhealthy: "its health checks fail"
                case .open: "its circuit breaker is open"
                default: "its configuration cannot be used"
                }
            var words = "The upstream \(upstream.id) is down: \(reason)"
            if let until = upstream.until, until > look.at { words += ", the next try is at \(RFC3339.format(until))" }
            words += "."
            if let error = upstream.lastError { words += " Its last error: \(error.prefix(300))" }
            alerts.append(
                Alert(
                    kind: .upstreamDown, subject: upstream.id, message: words,
                    figures: [("state", .text(upstream.state.rawValue))]))
        }
        down = now
        toldDown.formIntersection(now.keys)
        let serving = look.upstreams.count { $0.state.isServing }
        allDown = serving == 0 && !look.upstreams.isEmpty ? allDown + 1 : 0
        if allDown == 0 { hasToldAllDown = false }
        if allDown >= Self.looksUntilDown, !hasToldAllDown {
            alerts.append(
                Alert(
                    kind: .allDown, subject: "all",
                    message: "None of the \(look.upstreams.count) upstreams can be asked: clients get errors.",
                    figures: [("upstreams", .number(look.upstreams.count))]))
        }
        return alerts
    }

    /// It is sent, and was not silenced: an outage that comes within the hour of another's alert is told of behind that hour, if it lasts.
    mutating func wasSent(_ alert: Alert) {
        switch alert.kind {
        case .upstreamDown: toldDown.insert(alert.subject)
        case .allDown: hasToldAllDown = true
        case .budgetSoft, .budgetHard, .modelRetiring, .certificate, .ledger: break
        }
    }

    private mutating func models(_ look: Look) -> [Alert] {
        look.models.compactMap { model in
            let left = model.retires - look.at
            // The least of the days that have begun.
            guard left > 0, let days = Self.days.last(where: { left <= $0 * Self.day }),
                retiring[model.name].map({ days < $0 }) ?? true
            else { return nil }
            retiring[model.name] = days
            let successor =
                model.successor.map { " '\($0)' takes over then." }
                ?? " Name another one in [SUCCESSORS], or tell its users."
            return Alert(
                kind: .modelRetiring, subject: model.name,
                message:
                    "The model '\(model.name.quotable)' retires at \(RFC3339.format(model.retires)).\(successor)",
                figures: [
                    ("retires_at", .text(RFC3339.format(model.retires))),
                    ("days_left", .number(Int((left + Self.day - 1) / Self.day))),
                ])
        }
    }

    private mutating func certificate(_ look: Look) -> [Alert] {
        guard let certificate = look.certificate,
            certificate.expires - look.at <= Self.certificateDays * Self.day
        else {
            lastDay = nil
            return []
        }
        let left = certificate.expires - look.at
        // Once a day: two weeks are long.
        let day = (left / Self.day, certificate.expires)
        if let lastDay, lastDay == day { return [] }
        lastDay = day
        let words =
            left > 0
            ? "The certificate in \(certificate.file) expires at \(RFC3339.format(certificate.expires)). Renew it: the new file is loaded by itself."
            : "The certificate in \(certificate.file) expired at \(RFC3339.format(certificate.expires)): clients refuse it. Renew it."
        return [
            Alert(
                kind: .certificate, subject: certificate.file, message: words,
                figures: [
                    ("expires_at", .text(RFC3339.format(certificate.expires))),
                    ("days_left", .number(Int(left / Self.day))),
                ])
        ]
    }

    private mutating func ledger(_ look: Look) -> [Alert] {
        guard let figures = look.ledger else { return [] }
        defer { dropped = figures.dropped }
        guard figures.problem != nil || figures.dropped > dropped else { return [] }
        let words = figures.problem.map { "The ledger cannot be written: \($0)." } ?? "The ledger has lost rows."
        return [
            Alert(
                kind: .ledger, subject: "ledger",
                message: "\(words) Requests go on; \(figures.dropped) have no row so far.",
                figures: [("dropped", .number(figures.dropped)), ("pending", .number(figures.pending))])
        ]
    }
}
