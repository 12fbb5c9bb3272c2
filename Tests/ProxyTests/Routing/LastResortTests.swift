import Testing

@testable import Proxy

@Suite struct LastResortTests {
    private let both = UpstreamSet([0, 1])

    @Test func oneASecondForAModel() {
        var resort = LastResort()
        let rests: (Int) -> Duration? = { [Duration.seconds(1), .zero][$0] }
        #expect(resort.pick(for: "m", among: both, at: .milliseconds(999), rests) == nil, "nobody has rested for a second")
        #expect(resort.pick(for: "m", among: both, at: .seconds(1), rests) == 1, "the one that rests longest")
        resort.note("m", at: .seconds(1))
        #expect(resort.pick(for: "m", among: both, at: .milliseconds(1999), rests) == nil)
        #expect(resort.pick(for: "other", among: both, at: .milliseconds(1999), rests) == 1, "another model has its own")
        #expect(resort.pick(for: "m", among: both, at: .seconds(2), rests) == 1)
    }

    @Test func whoMayNotBeAskedIsNot() {
        #expect(LastResort().pick(for: "m", among: both, at: .seconds(9)) { $0 == 0 ? nil : .seconds(3) } == 1)
        #expect(LastResort().pick(for: "m", among: both, at: .seconds(9)) { _ in nil } == nil)
    }

    @Test func thoseWhoWaitLookWhenTheNextMayPass() {
        var resort = LastResort()
        let rests: (Int) -> Duration? = { _ in .zero }
        #expect(resort.nextMoment(for: "m", among: both, at: .zero, rests) == .seconds(1))
        resort.note("m", at: .seconds(1))
        #expect(resort.nextMoment(for: "m", among: both, at: .seconds(1), rests) == .seconds(2))
        #expect(resort.nextMoment(for: "m", among: both, at: .seconds(5), rests) == .seconds(6), "no look after look while nobody can pass")
        #expect(resort.nextMoment(for: "m", among: both, at: .zero) { _ in nil } == nil)
    }

    @Test func manyModelsTakeBoundedRoom() {
        var resort = LastResort()
        for number in 0..<10_000 { resort.note("m\(number)", at: .milliseconds(number * 20)) }
        #expect(Mirror(reflecting: resort).children.contains { ($0.value as? [String: Duration])?.count ?? .max <= 64 })
    }
}
