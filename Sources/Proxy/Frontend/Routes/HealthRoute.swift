import NIOHTTP1

/// `GET /health`: what the health checks know. It starts none, so a load balancer may ask as often as it likes.
struct HealthRoute: Sendable {
    let mode: String
    let router: Router
    let roster: Roster

    /// A word for the whole: all well, some, or none.
    enum Status: String, Sendable {
        case healthy, degraded, unhealthy

        init(healthy: Int, total: Int) {
            self = healthy == 0 ? .unhealthy : healthy < total ? .degraded : .healthy
        }
    }

    func answer() async -> Answer {
        let upstreams = await router.snapshot().upstreams
        // Who is switched off is not missed; who cannot be used is.
        let accounts = roster.entries.compactMap { entry -> (id: String, healthy: Bool)? in
            switch entry {
            case .serving(let index): (upstreams[index].upstream.id, upstreams[index].state.health.isHealthy)
            case .idle(let account): account.isEnabled ? (account.id, false) : nil
            }
        }
        let healthy = accounts.count { $0.healthy }
        let status = Status(healthy: healthy, total: accounts.count)

        var writer = JSONWriter()
        writer.beginObject()
        writer.key("status")
        writer.string(status.rawValue)
        writer.key("mode")
        writer.string(mode)
        for (key, list, up, total) in [
            ("providers", [], 0, 0), ("accounts", accounts, healthy, accounts.count),
        ] as [(String, [(id: String, healthy: Bool)], Int, Int)] {
            writer.key(key)
            writer.beginObject()
            for entry in list {
                writer.key(entry.id)
                writer.bool(entry.healthy)
            }
            writer.endObject()
            writer.key("healthy_\(key)")
            writer.int(up)
            writer.key("total_\(key)")
            writer.int(total)
        }
        writer.endObject()
        return .json(writer.bytes, status: status == .unhealthy ? .serviceUnavailable : .ok)
    }
}
