import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct PrometheusTextTests {
    @Test func `Writes families and samples`() {
        var text = PrometheusText()
        text.family("a_total", .counter, "Some.")
        text.sample(["account": #"a"b\c"#, "kind": "x\ny"], 3)
        text.family("b", .gauge, "Other.")
        text.sample(1.5)
        #expect(
            text.text == """
                # HELP a_total Some.
                # TYPE a_total counter
                a_total{account="a\\"b\\\\c",kind="x\\ny"} 3
                # HELP b Other.
                # TYPE b gauge
                b 1.5

                """)
    }

    @Test func `A histogram is cumulative and ends with all`() {
        var histogram = LatencyHistogram()
        for milliseconds in [0, 1, 3, 700_000] { histogram.record(.milliseconds(milliseconds)) }
        var text = PrometheusText()
        text.family("h", .histogram, "Some.")
        text.histogram("account", "a", histogram)
        let lines = text.text.split(separator: "\n")
        #expect(lines.contains(#"h_bucket{account="a",le="0.001"} 1"#))
        #expect(lines.contains(#"h_bucket{account="a",le="0.002"} 2"#))
        #expect(lines.contains(#"h_bucket{account="a",le="0.004"} 3"#))
        #expect(lines.contains(#"h_bucket{account="a",le="524.288"} 3"#))
        #expect(lines.contains(#"h_bucket{account="a",le="+Inf"} 4"#))
        #expect(lines.contains(#"h_count{account="a"} 4"#) && lines.contains(#"h_sum{account="a"} 700.004"#))
    }

    @Test func `Counters are by route and status`() {
        let counters = RequestCounters()
        for status in [200, 404, 200] { counters.count(route: "chat", status: status) }
        counters.count(route: "admin", status: 200)
        #expect(
            counters.all.map { "\($0.key.route) \($0.key.status) \($0.count)" } == [
                "admin 200 1", "chat 200 2", "chat 404 1",
            ])
    }
}
