import Testing

@testable import Proxy

@Suite struct RampTests {
    /// How many more it lets through.
    private func size(_ ramp: Ramp, at now: Duration = .zero) -> Int {
        var ramp = ramp
        return (0..<1000).first { _ in
            defer { _ = ramp.admit(at: now) }
            return !ramp.hasCapacity(at: now)
        } ?? 1000
    }

    @Test func climbsByTwoToItsTop() {
        var ramp = Ramp()
        #expect(size(ramp) == 1000)
        ramp.begin()
        var sizes: [Int] = []
        while ramp.isClimbing, sizes.count < 9 {
            let round = size(ramp)
            sizes.append(round)
            for pass in (0..<round).map({ _ in ramp.admit(at: .zero) }) {
                ramp.ended(pass)
                ramp.answered(pass, top: 30, at: .zero)
            }
        }
        #expect(sizes == [1, 2, 4, 8, 16])
        #expect(size(ramp) == 1000)
    }

    @Test func whoWasSentBeforeItBeganDoesNotCount() {
        var ramp = Ramp()
        let early = ramp.pass
        ramp.begin()
        for _ in 0..<10 { ramp.answered(early, top: 30, at: .zero) }
        #expect(size(ramp) == 1)
    }

    @Test func longAnswersAreNotWaitedFor() {
        var ramp = Ramp()
        ramp.begin()
        #expect(size(ramp, at: .seconds(9)) == 1 && ramp.recheckAt(.seconds(9)) == nil, "nobody has found out yet")
        let first = ramp.admit(at: .seconds(10))
        #expect(!ramp.hasCapacity(at: .seconds(10)) && ramp.recheckAt(.milliseconds(10_500)) == .seconds(11))
        #expect((10...15).map { size(ramp, at: .seconds($0)) } == [0, 1, 3, 7, 15, 31])
        ramp.answered(first, top: 30, at: .seconds(15))
        #expect(!ramp.isClimbing)
        ramp.begin()
        #expect(size(ramp, at: .seconds(15)) == 1, "a refusal begins it anew")
    }

    @Test func whatHasBeenRunningSinceBeforeTakesNoPlace() {
        var ramp = Ramp()
        let early = (0..<9).map { _ in ramp.admit(at: .zero) }
        ramp.begin()
        #expect(size(ramp) == 1)
        for pass in early { ramp.ended(pass) }
        #expect(size(ramp) == 1)
        let pass = ramp.admit(at: .zero)
        #expect(size(ramp) == 0)
        ramp.ended(pass)
        #expect(size(ramp) == 1)
    }
}
