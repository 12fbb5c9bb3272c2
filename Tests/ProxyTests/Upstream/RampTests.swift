import Testing

@testable import Proxy

@Suite struct RampTests {
    /// How many it lets pass at once, besides those that it has let pass.
    private func admitted(_ ramp: inout Ramp, at now: Duration) -> [Ramp.Pass] {
        var passes: [Ramp.Pass] = []
        while passes.count < 1000, ramp.hasCapacity(at: now) { passes.append(ramp.admit(at: now)) }
        return passes
    }

    @Test func `Climbs by two to its top`() {
        var ramp = Ramp()
        ramp.begin()
        var sizes: [Int] = []
        while ramp.isClimbing, sizes.count < 9 {
            let round = admitted(&ramp, at: .zero)
            sizes.append(round.count)
            for pass in round {
                ramp.answered(pass, top: 30, at: .zero)
                ramp.end(pass)
            }
        }
        #expect(sizes == [1, 2, 4, 8, 16])
        #expect(admitted(&ramp, at: .zero).count == 1000)
    }

    @Test func `Who was sent before it began does not count`() {
        var ramp = Ramp()
        let early = (0..<40).map { _ in ramp.admit(at: .zero) }
        ramp.begin()
        for pass in early { ramp.answered(pass, top: 30, at: .zero) }
        #expect(
            admitted(&ramp, at: .zero).count == 1,
            "forty streams of before are no reason to let nobody in, nor to let all in")
        for pass in early { ramp.end(pass) }
        #expect(admitted(&ramp, at: .zero).isEmpty)
    }

    @Test func `Answers that take long need not be waited for`() {
        var ramp = Ramp()
        ramp.begin()
        var sizes: [Int] = []
        for second in 0..<5 { sizes.append(admitted(&ramp, at: .seconds(second)).count) }
        #expect(sizes == [1, 1, 2, 4, 8], "each second without a refusal doubles what is under way")
        #expect(ramp.recheckAt(.milliseconds(4500)) == .seconds(5))
    }

    @Test func `It begins anew with each rest`() {
        var ramp = Ramp()
        ramp.begin()
        let passes = admitted(&ramp, at: .zero) + admitted(&ramp, at: .seconds(3))
        ramp.begin()
        for pass in passes { ramp.end(pass) }
        #expect(admitted(&ramp, at: .seconds(9)).count == 1)
    }
}
