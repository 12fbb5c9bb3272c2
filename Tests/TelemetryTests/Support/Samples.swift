@testable import ProxyTelemetry

/// Values that many tests need and none is about.
enum Samples {
    static let identity = TelemetryResource.Identity(name: "ociai-proxy", version: "1.2.3", instance: "here-1")

    static func trace(_ number: UInt64 = 1) -> TraceID { TraceID(high: 0x0102_0304_0506_0708, low: number)! }

    static func span(_ number: UInt64 = 1, name: String = "chat xai.grok-4") -> TraceSpan {
        TraceSpan(
            name, kind: .client, traceID: trace(), id: SpanID(number)!, flags: .sampled, start: 1_000, end: 2_000)
    }

    static func spans(_ numbers: ClosedRange<UInt64>) -> [TraceSpan] { numbers.map { span($0) } }

    /// A request's trace that begins here.
    static func start(_ incoming: TraceContext? = nil, mode: TraceParentMode = .continue) -> TraceStart {
        var dice = Dice(1)
        return TraceStart(incoming, mode: mode, sampler: .parentBasedAll, using: &dice)
    }
}
