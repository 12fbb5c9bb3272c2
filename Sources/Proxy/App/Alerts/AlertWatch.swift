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
                for alert in rules.alerts(for: await look(generation)) { state.alerts.raise(alert) }
            }
        }
    }

    private func look(_ generation: Generation) async -> AlertRules.Look {
        let snapshot = await state.router.snapshot()
        var look = AlertRules.Look(at: state.time.wallClock())
        func wall(_ instant: Duration) -> Int64 { look.at + (instant - snapshot.at).components.seconds }
        for entry in generation.accountList.entries {
            switch entry {
            case .serving(let place):
                let (upstream, state) = snapshot.upstreams[place]
                let (word, until) = WindowSource.word(of: state, at: snapshot.at)
                look.upstreams.append(
                    AlertRules.Look.Upstream(
                        id: upstream.id, state: word, until: until.map(wall),
                        lastError: state.statistics.lastFailure.map { OpenAIError($0.failure).message }))
            case .idle(let account) where account.isEnabled:
                look.upstreams.append(
                    AlertRules.Look.Upstream(id: account.id, state: .unusable, lastError: account.problem))
            case .idle: break
            }
        }
        let catalog = generation.directory.catalog
        for entry in catalog.entries + catalog.otherEntries {
            guard let retirement = catalog.retirement(of: entry, state.retirements), let at = retirement.at else {
                continue
            }
            look.models.append(
                AlertRules.Look.Model(name: entry.name, retires: at, successor: retirement.successor))
        }
        look.ledger = state.ledger?.figures
        if let pair = state.certificate.current { look.certificate = (pair.files.certificate, pair.expiry) }
        return look
    }
}
