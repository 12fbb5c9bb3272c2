import ProxyRouting

/// What came of asking an upstream how it does.
struct ProbeReport: Sendable {
    var latency: Duration
    /// Models on the page that was asked for.
    var models: Int?
    /// Why it failed, in words for the operator; nil when it did not.
    var error: String?
    var probe: HealthRecord.Probe
    /// How far this machine's clock is off, where it is by more than a minute.
    var skew: ClockSkew?
}
