import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct LastResortTests {
    private let both = UpstreamSet([0, 1])
    private var terms: RouteRequest.Terms { .init(accepts: both, model: "m") }
    private var other: RouteRequest.Terms { .init(accepts: both, model: "other") }

    @Test func `Two providers' models of one name are two`() {
        var resort = LastResort()
        resort.note(.init(accepts: UpstreamSet([0]), model: "m"), at: .seconds(1))
        #expect(resort.pick(for: .init(accepts: UpstreamSet([1]), model: "m"), at: .seconds(1)) { _ in .zero } == 1)
        var retry = RouteRequest.Terms(accepts: UpstreamSet([1]), model: "m")
        retry.haveFailed = UpstreamSet([0])
        resort.note(terms, at: .seconds(2))
        #expect(
            resort.pick(for: retry, at: .seconds(2)) { _ in .zero } == nil,
            "the retry of a last resort is in the same second")
    }

    @Test func `One a second for a model`() {
        var resort = LastResort()
        let rests: (Int) -> Duration? = { [Duration.seconds(1), .zero][$0] }
        #expect(resort.pick(for: terms, at: .milliseconds(999), rests) == nil, "nobody has rested for a second")
        #expect(resort.pick(for: terms, at: .seconds(1), rests) == 1, "the one that rests longest")
        resort.note(terms, at: .seconds(1))
        #expect(resort.pick(for: terms, at: .milliseconds(1999), rests) == nil)
        #expect(resort.pick(for: other, at: .milliseconds(1999), rests) == 1, "another model has its own")
        #expect(resort.pick(for: terms, at: .seconds(2), rests) == 1)
    }

    @Test func `Who may not be asked is not`() {
        #expect(LastResort().pick(for: terms, at: .seconds(9)) { $0 == 0 ? nil : .seconds(3) } == 1)
        #expect(LastResort().pick(for: terms, at: .seconds(9)) { _ in nil } == nil)
    }

    @Test func `Those who wait look when the next may pass`() {
        var resort = LastResort()
        let rests: (Int) -> Duration? = { _ in .zero }
        #expect(resort.nextMoment(for: terms, at: .zero, rests) == .seconds(1))
        resort.note(terms, at: .seconds(1))
        #expect(resort.nextMoment(for: terms, at: .seconds(1), rests) == .seconds(2))
        #expect(
            resort.nextMoment(for: terms, at: .seconds(5), rests) == .seconds(6),
            "no look after look while nobody can pass")
        #expect(resort.nextMoment(for: terms, at: .zero) { _ in nil } == nil)
    }

    @Test func `Many models take bounded room`() {
        var resort = LastResort()
        for number in 0..<10_000 {
            resort.note(.init(accepts: both, model: "m\(number)"), at: .milliseconds(number * 20))
        }
        #expect(Mirror(reflecting: resort).children.contains { ($0.value as? any Collection)?.count ?? .max <= 64 })
    }
}
