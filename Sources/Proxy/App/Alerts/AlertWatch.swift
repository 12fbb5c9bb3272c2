import ProxyAccounting
import ProxyRouting
import ServiceLifecycle

/// Looks at the state of things every few seconds, and raises alerts.
struct AlertWatch: Service {
    static let interval = Duration.seconds(5)

    let state: ProcessState
    let keeper: GenerationKeeper

    /// Runs until the service group stops it, or its task is cancelled.
    func run() async {
        await cancelWhenGracefulShutdown {
            var rules = AlertRules()
            while (try? await state.time.sleep(for: Self.interval)) != nil {
                guard let generation = keeper.present else { continue }
                for alert in rules.alerts(for: await look(generation)) where state.alerts.raise(alert) {
                    rules.wasSent(alert)
                }
            }
        }
    }

    private func look(_ generation: Generation) async -> AlertRules.Look {
        let snapshot = await state.router.snapshot()
        var look = AlertRules.Look(at: state.time.wallClock())
        func wall(_ instant: Duration) -> Int64 { look.at + (instant - snapshot.at).components.seconds }
        for one in WindowSource.standings(of: generation.accountList, in: snapshot) where one.word != .disabled {
            look.upstreams.append(
                AlertRules.Look.Upstream(
                    id: one.id, state: one.word, until: one.until.map(wall),
                    lastError: one.state.statistics.lastFailure.map { OpenAIError($0.failure).message } ?? one.problem))
        }
        for (name, at, successor) in generation.directory.catalog.retiring(state.retirements) {
            look.models.append(AlertRules.Look.Model(name: name, retires: at, successor: successor))
        }
        look.ledger = state.ledger?.figures
        if let pair = state.certificate.current { look.certificate = (pair.files.certificate, pair.expiry) }
        return look
    }
}
