import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// The sets of bits, against a look at each upstream.
@Suite struct ReadinessTests {
    @Test(arguments: 0..<40 as Range<UInt64>)
    func `Say what a look at each would say`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let count = [1, 3, 70, 150].randomElement(using: &random) ?? 1
        var upstreams = PlainUpstreams(
            (0..<count).map {
                PlainUpstreams.Member(
                    maxConcurrency: Int.random(in: 1...3, using: &random), throttle: $0, breaker: .init(maxFailures: 2))
            })
        var readiness = Readiness()
        readiness.configure(throttles: upstreams.members.map(\.throttle))
        let models = ["a", "b", "c"]
        var passes: [(index: Int, pass: UpstreamState.Pass)] = []
        var now = Duration.zero
        for _ in 0..<600 {
            now += .milliseconds(Int.random(in: 0...1500, using: &random))
            let model = models.randomElement(using: &random) ?? "a"
            let found = readiness.candidates(among: UpstreamSet(first: count), for: model, at: now, upstreams)
            let views = (0..<count).map { upstreams.view(of: $0, model: model, at: now) }
            let isResting = views.map { view in
                [view.own, view.model].contains { if case .unavailable = $0 { true } else { false } }
            }
            let isOpen = views.map { $0.own == .available && $0.model == .available }
            #expect(Array(found.inService) == (0..<count).filter { !isResting[$0] })
            #expect(Array(found.open) == (0..<count).filter { isOpen[$0] })
            #expect(
                readiness.areAllResting(among: UpstreamSet(first: count), for: model) == isResting.allSatisfy { $0 })
            if let index = found.open.filter({ _ in Bool.random(using: &random) }).first {
                let (pass, view) = upstreams.admit(index, model: model, isLastResort: false, at: now)
                passes.append((index, pass))
                readiness.update(index, view, model: model)
            }
            if !passes.isEmpty, Bool.random(using: &random) {
                let (index, pass) = passes.remove(at: Int.random(in: 0..<passes.count, using: &random))
                let outcomes: [AttemptOutcome] = [
                    .succeeded, .succeeded, .failed, .rateLimited(retryAfter: 3), .rateLimited(retryAfter: nil),
                    .unreachable, .unavailable(retryAfter: 2),
                    .accountExhausted(retryAfter: 4),
                ]
                let ending = AttemptEnding(outcomes.randomElement(using: &random) ?? .succeeded)
                readiness.update(index, upstreams.end(index, pass, ending, at: now, jitter: 0.5), model: pass.model)
            }
            if Int.random(in: 0..<20, using: &random) == 0 {
                let index = Int.random(in: 0..<count, using: &random)
                upstreams.members[index].state.note(
                    [.passed, .failed].randomElement(using: &random) ?? .passed, at: now, latency: .zero)
                readiness.update(index, at: now, upstreams)
            }
        }
    }

    @Test func `Names that are made up leave nothing behind`() {
        var upstreams = PlainUpstreams([PlainUpstreams.Member(maxConcurrency: 9, throttle: 0)])
        var readiness = Readiness()
        readiness.configure(throttles: [0])
        for number in 0..<20_000 {
            let now = Duration.milliseconds(number * 10)
            let pass = upstreams.admit(0, model: "made-up-\(number)", isLastResort: false, at: now).pass
            readiness.update(
                0, upstreams.end(0, pass, AttemptEnding(.rateLimited(retryAfter: 2)), at: now, jitter: 0),
                model: pass.model)
            readiness.tidy(at: now, upstreams)
        }
        let lanes = Mirror(reflecting: readiness).children.first { $0.label == "lanes" }?.value as? any Collection
        #expect((lanes?.count ?? .max) <= 2 * ModelStates.capacity + 1)
    }

    @Test func `Where the tenancy is throttled is the last choice for that model`() {
        var upstreams = PlainUpstreams([0, 0, 1].map { PlainUpstreams.Member(maxConcurrency: 9, throttle: $0) })
        var readiness = Readiness()
        readiness.configure(throttles: [0, 0, 1])
        let pass = upstreams.admit(0, model: "m", isLastResort: false, at: .zero).pass
        readiness.update(
            0, upstreams.end(0, pass, AttemptEnding(.rateLimited(retryAfter: 9)), at: .zero, jitter: 0), model: "m")
        let all = UpstreamSet(first: 3)
        #expect(Array(readiness.candidates(among: all, for: "m", at: .zero, upstreams).open) == [2])
        #expect(
            Array(readiness.candidates(among: UpstreamSet([0, 1]), for: "m", at: .zero, upstreams).open) == [1],
            "rather than nobody")
        #expect(Array(readiness.candidates(among: all, for: "other", at: .zero, upstreams).open) == [0, 1, 2])
        #expect(Array(readiness.candidates(among: all, for: "m", at: .seconds(9), upstreams).open) == [0, 1, 2])
    }
}
