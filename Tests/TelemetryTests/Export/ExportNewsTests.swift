import Testing

@testable import ProxyTelemetry

@Suite struct ExportNewsTests {
    @Test func `A failure is told once, and again when it is over`() {
        var news = ExportNews(endpoint: "http://c/v1/traces")
        #expect(news.succeeded() == nil)
        #expect(
            news.failed(3, cause: "it answered 503")
                == "Spans cannot be sent to http://c/v1/traces: it answered 503. They are dropped until it works again")
        #expect(news.failed(4, cause: "it answered 400") == nil)
        #expect(news.succeeded() == "Spans are sent to http://c/v1/traces again; 7 were dropped meanwhile")
        #expect(news.succeeded() == nil)
        #expect(news.failed(1, cause: "x") != nil)
    }

    @Test func `What a collector does not take is told once an hour, with all of it`() {
        var news = ExportNews(endpoint: "c")
        let one = PartialSuccess(rejected: 2, message: "too\nold")
        #expect(news.partial(one, at: .seconds(10)) == "c has not taken 2 spans since it was last told of: too?old")
        #expect(news.partial(one, at: .seconds(11)) == nil)
        #expect(news.partial(one, at: .seconds(3_609)) == nil)
        #expect(news.partial(one, at: .seconds(3_610)) == "c has not taken 6 spans since it was last told of: too?old")
        let warning = PartialSuccess(rejected: 0, message: String(repeating: "x", count: 1_000))
        #expect(
            news.partial(warning, at: .seconds(9_000))
                == "c warns of the spans that it takes: \(String(repeating: "x", count: 200))")
    }

    @Test func `A full queue is told of once an hour`() {
        var news = ExportNews(endpoint: "c")
        #expect(news.overflowed(total: 0, at: .zero) == nil)
        #expect(news.overflowed(total: 5, at: .seconds(1))?.contains(": 5 were dropped") == true)
        #expect(news.overflowed(total: 5, at: .seconds(2)) == nil)
        #expect(news.overflowed(total: 9, at: .seconds(3)) == nil)
        #expect(news.overflowed(total: 9, at: .seconds(4_000)) == nil)
        #expect(news.overflowed(total: 10, at: .seconds(4_001))?.contains(": 5 were dropped") == true)
    }
}
