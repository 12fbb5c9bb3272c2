import ProxyRouting

/// A whole answer as its client gets it.
struct ClientResponse: Equatable, Sendable {
    /// The document, in the form that the client speaks.
    let body: [UInt8]
    let usage: TokenUsage?
    /// What the upstream has said oddly.
    var oddities = Oddities()
    /// How much it tells, where that has been measured.
    var told: TextMeter?
}
