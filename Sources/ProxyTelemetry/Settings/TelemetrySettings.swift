/// Where spans go to and how, as the environment of OpenTelemetry says. There is a value of this only when telemetry is
/// on.
package struct TelemetrySettings: Hashable, Sendable {
    /// The whole address: `http://localhost:4318/v1/traces`. It may have a secret in its query: see `shownEndpoint`.
    package var endpoint: String
    /// Sent with each request.
    package var headers: [SecretHeader]
    /// For one try.
    package var timeout: Duration
    package var resource: TelemetryResource
    package var sampler: Sampler
    package var batching: SpanBatching
    /// Unicode scalars of an attribute's text; nil is no limit.
    package var valueLengthLimit: Int?
    /// Whether names of the GenAI conventions that were replaced are written besides the present ones.
    package var writesOldNames: Bool

    /// The defaults of the specification.
    package init(endpoint: String, resource: TelemetryResource) {
        self.endpoint = endpoint
        self.resource = resource
        headers = []
        timeout = .seconds(10)
        sampler = .parentBasedAll
        batching = SpanBatching()
        valueLengthLimit = nil
        writesOldNames = true
    }

    /// The endpoint as it may be shown: without a query.
    package var shownEndpoint: String { CollectorAddress.shown(endpoint) }
}

/// How spans are collected before they are sent (`OTEL_BSP_*`).
package struct SpanBatching: Hashable, Sendable {
    /// How long a span waits at most until its batch is sent.
    package var delay = Duration.seconds(5)
    /// Spans that wait at most.
    package var capacity = 2048
    /// Spans of a request, at most `capacity`. When so many wait, they are sent at once.
    package var batch = 512
    /// For a batch with all its tries.
    package var bound = Duration.seconds(30)

    package init() {}
}

/// A header whose value is nobody's business: it never shows when it is printed.
package struct SecretHeader: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// Lower case.
    package let name: String
    package let value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    package var description: String { "\(name): ***" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["name": name]) }
}
