import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct SlowStartTests {
    /// How many it lets pass at once, besides those that it has let pass.
    private func admitted(_ slowStart: inout SlowStart, at now: Duration) -> [SlowStart.Pass] {
        var passes: [SlowStart.Pass] = []
        while passes.count < 1000, slowStart.hasCapacity(at: now) { passes.append(slowStart.admit(at: now)) }
        return passes
    }

    @Test func `Climbs by two to its top`() {
        var slowStart = SlowStart()
        slowStart.begin()
        var sizes: [Int] = []
        while slowStart.isClimbing, sizes.count < 9 {
            let round = admitted(&slowStart, at: .zero)
            sizes.append(round.count)
            for pass in round {
                slowStart.answered(pass, top: 30, at: .zero)
                slowStart.end(pass)
            }
        }
        #expect(sizes == [1, 2, 4, 8, 16])
        #expect(admitted(&slowStart, at: .zero).count == 1000)
    }

    @Test func `Who was sent before it began does not count`() {
        var slowStart = SlowStart()
        let early = (0..<40).map { _ in slowStart.admit(at: .zero) }
        slowStart.begin()
        for pass in early { slowStart.answered(pass, top: 30, at: .zero) }
        #expect(
            admitted(&slowStart, at: .zero).count == 1,
            "forty streams of before are no reason to let nobody in, nor to let all in")
        for pass in early { slowStart.end(pass) }
        #expect(admitted(&slowStart, at: .zero).isEmpty)
    }

    @Test func `Answers that take long need not be waited for`() {
        var slowStart = SlowStart()
        slowStart.begin()
        var sizes: [Int] = []
        for second in 0..<5 { sizes.append(admitted(&slowStart, at: .seconds(second)).count) }
        #expect(sizes == [1, 1, 2, 4, 8], "each second without a refusal doubles what is under way")
        #expect(slowStart.recheckAt(.milliseconds(4500)) == .seconds(5))
    }

    @Test func `It begins anew with each rest`() {
        var slowStart = SlowStart()
        slowStart.begin()
        let passes = admitted(&slowStart, at: .zero) + admitted(&slowStart, at: .seconds(3))
        slowStart.begin()
        for pass in passes { slowStart.end(pass) }
        #expect(admitted(&slowStart, at: .seconds(9)).count == 1)
    }
}
