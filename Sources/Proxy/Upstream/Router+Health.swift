import ProxyRouting

extension Router.Snapshot {
    /// Whether an upstream is well, by its health checks and by what is known of its calls.
    ///
    /// - Parameters:
    ///   - index: of the upstream, among all that there have been.
    ///   - verdict: of a check that was made for the one who asks; nil for that of the last one.
    func isHealthy(_ index: Int, verdict: Bool? = nil) -> Bool {
        let (upstream, state) = upstreams[index]
        guard verdict ?? state.health.isHealthy, state.breaker.state(at: at) != .open else { return false }
        // What is known of its calls counts as well; but one bad model is not the end of an upstream that has others.
        guard let served = (upstream.backend as? Provider)?.models, !served.isEmpty else { return true }
        return !served.allSatisfy { state.models[$0]?.breaker.state(at: at) == .open }
    }
}
