import ProxyRouting

extension Failure {
    static let shuttingDown = Failure(
        .shuttingDown,
        "The proxy is shutting down and could not finish this request in time. Send it again in a moment.",
        retryAfter: 1)
}
