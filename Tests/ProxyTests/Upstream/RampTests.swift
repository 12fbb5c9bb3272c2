import Testing

@testable import Proxy

@Suite struct RampTests {
    private func size(_ ramp: Ramp) -> Int { (0..<1000).first { !ramp.hasCapacity(besides: $0) } ?? 1000 }

    @Test func climbsByTwoToItsTop() {
        var ramp = Ramp()
        #expect(size(ramp) == 1000)
        ramp.begin()
        var sizes: [Int] = []
        while ramp.isClimbing, sizes.count < 9 {
            let round = size(ramp)
            sizes.append(round)
            for _ in 0..<round { ramp.answered(ramp.pass, top: 30) }
        }
        #expect(sizes == [1, 2, 4, 8, 16])
        #expect(size(ramp) == 1000)
    }

    @Test func whoWasSentBeforeItBeganDoesNotCount() {
        var ramp = Ramp()
        let early = ramp.pass
        ramp.begin()
        for _ in 0..<10 { ramp.answered(early, top: 30) }
        #expect(size(ramp) == 1)
    }
}
