import Testing

@testable import ProxyTelemetry

@Suite struct TraceStartTests {
    private static let incoming = TraceContext(
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", tracestate: "congo=t61rcWkgMzE")

    @Test func `A trace is continued`() {
        let start = Samples.start(Self.incoming)
        #expect(start.traceID == Self.incoming?.traceID && start.parent == Self.incoming?.spanID)
        #expect(start.spanID != Self.incoming?.spanID)
        #expect(start.state == "congo=t61rcWkgMzE" && start.link == nil)
        #expect(start.flags == .sampled && start.isSampled && start.parentIsSampled == true)
    }

    @Test func `A trace is linked to`() {
        let start = Samples.start(Self.incoming, mode: .link)
        #expect(start.traceID != Self.incoming?.traceID && start.parent == nil && start.state == nil)
        #expect(start.link == Self.incoming && start.flags == [.random, .sampled] && start.parentIsSampled == nil)
    }

    @Test func `A trace is ignored`() {
        let start = Samples.start(Self.incoming, mode: .ignore)
        #expect(start.traceID != Self.incoming?.traceID && start.parent == nil && start.state == nil)
        #expect(start.link == nil && start.flags == [.random, .sampled])
    }

    @Test(arguments: TraceParentMode.allCases)
    func `Without a client's trace a new one begins`(mode: TraceParentMode) {
        let start = Samples.start(nil, mode: mode)
        #expect(start.parent == nil && start.link == nil && start.state == nil && start.isSampled)
    }

    @Test func `A client that does not sample is believed, and its flag is sent on`() throws {
        let incoming = try #require(
            TraceContext(traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-02"))
        let start = Samples.start(incoming)
        #expect(!start.isSampled && start.flags == .random)
        let attempt = try #require(SpanID(5))
        #expect(
            start.context(of: attempt).traceparent == "00-0af7651916cd43dd8448eb211c80319c-0000000000000005-02")
    }

    @Test func `What a provider is told has the attempt's span in it`() throws {
        let start = Samples.start(Self.incoming)
        let context = start.context(of: try #require(SpanID(0xABC)))
        #expect(context.traceparent == "00-0af7651916cd43dd8448eb211c80319c-0000000000000abc-01")
        #expect(context.state == "congo=t61rcWkgMzE")
    }

    @Test func `Modes are spelled as the configuration spells them`() {
        #expect(TraceParentMode.allCases.map(\.rawValue) == ["continue", "link", "ignore"])
    }
}
