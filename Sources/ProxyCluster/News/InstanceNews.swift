/// What an instance says of itself, for people who look at all of them.
package struct InstanceNews: Equatable, Sendable {
    /// Milliseconds after which one that says nothing more is not shown any more.
    package static let life: Int64 = 15_000
    /// How often it is said.
    package static let interval = Duration.seconds(4)

    /// Such as the host's name and the port.
    package var name: String
    package var version: String
    /// A word of `/health`.
    package var state: String
    /// Milliseconds since 1970 by the engine's clock, as all moments of news.
    package var startedAt: Int64
    /// Requests that hold a permit.
    package var inFlight: Int
    package var at: Int64

    package init(name: String, version: String, state: String, startedAt: Int64, inFlight: Int, at: Int64) {
        self.name = name
        self.version = version
        self.state = state
        self.startedAt = startedAt
        self.inFlight = inFlight
        self.at = at
    }
}
