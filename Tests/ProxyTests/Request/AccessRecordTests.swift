import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct AccessRecordTests {
    private func full() -> AccessRecord {
        var record = AccessRecord(id: "req_1", method: "POST", target: "/v1/chat/completions?key=secret")
        let trace = RequestTrace()
        trace.append(.fellBack(to: "other"))
        for upstream in ["one", "two"] {
            let report = AttemptReport(.init(upstream: upstream))
            report.change {
                ($0.firstEvent, $0.usage) = (.milliseconds(112), TokenUsage(prompt: 3, completion: 4, total: 7))
            }
            trace.append(.began(call: 0, report, at: .milliseconds(100)))
        }
        record.take(trace.summary, since: .milliseconds(100))
        record.key = "bench"
        record.model = String(repeating: "é", count: 300)
        record.status = 502
        record.error = "upstream_error"
        record.received = 300
        record.sent = 1000
        return record
    }

    @Test func `Names what is known in order`() {
        let pairs = full().pairs(duration: .milliseconds(34))
        #expect(
            pairs.map(\.0) == [
                "account", "attempts", "bytes.in", "bytes.out", "error", "fallback", "first_token_ms", "key", "method",
                "model", "ms", "path", "request.id", "status",
                "tokens.in", "tokens.out",
            ])
        #expect(
            pairs.map(\.1) == [
                "two", "2", "300", "1000", "upstream_error", "other", "12", "bench", "POST",
                String(repeating: "é", count: 100), "34", "/v1/chat/completions", "req_1",
                "502", "3", "4",
            ])
        #expect(pairs.map(\.0) == pairs.map(\.0).sorted())
    }

    @Test func `Leaves out what is not`() {
        let record = AccessRecord(id: "req_2", method: "GET", target: "/health")
        #expect(
            record.pairs(duration: .zero).map { "\($0.0)=\($0.1)" } == [
                "bytes.in=0", "bytes.out=0", "method=GET", "ms=0", "path=/health", "request.id=req_2", "status=0",
            ])
    }

    @Test func `What strangers choose is cut to bytes`() {
        let long = "a" + String(repeating: "\u{301}", count: 1_000_000)
        var record = AccessRecord(id: "r", method: long, target: "/" + long + "?" + long)
        record.model = long
        record.fallback = long
        #expect(record.pairs(duration: .zero).allSatisfy { $0.1.utf8.count <= 200 })
        #expect(record.method.utf8.count <= 32 && record.path.utf8.count <= 200)
    }
}
