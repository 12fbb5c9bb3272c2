import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct BulkheadsTests {
    @Test func `Two silent upstreams leave the third its share`() {
        var bulkheads = Bulkheads()
        bulkheads.configure(permits: 200, limits: [100, 100, 100], inFlight: [0, 0, 0])
        var inFlight = [0, 0, 0]
        func fill(_ index: Int, upTo limit: Int) {
            while inFlight[index] < limit,
                bulkheads.allows(index, inFlight: inFlight[index], free: 200 - inFlight.reduce(0, +))
            {
                inFlight[index] += 1
                bulkheads.taken(index, inFlight: inFlight[index])
            }
        }
        fill(0, upTo: 100)
        fill(1, upTo: 100)
        #expect(inFlight[0] == 100 && inFlight[1] == 92)
        fill(2, upTo: 100)
        #expect(inFlight[2] == 8)
    }

    @Test func `One upstream has all permits`() {
        var bulkheads = Bulkheads()
        bulkheads.configure(permits: 3, limits: [100], inFlight: [0])
        for inFlight in 0..<3 {
            #expect(bulkheads.allows(0, inFlight: inFlight, free: 3 - inFlight))
            bulkheads.taken(0, inFlight: inFlight + 1)
        }
        #expect(!bulkheads.allows(0, inFlight: 3, free: 0))
    }

    /// Whoever holds less than a share gets a permit while one is free, and no more than a quarter lies idle for the others.
    @Test(arguments: 0..<40 as Range<UInt64>)
    func `A random walk keeps the promises`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let permits = Int.random(in: 1...300, using: &random)
        let limits = (0..<Int.random(in: 1...12, using: &random)).map { _ in Int.random(in: 1...100, using: &random) }
        var bulkheads = Bulkheads()
        bulkheads.configure(permits: permits, limits: limits, inFlight: limits.map { _ in 0 })
        var inFlight = limits.map { _ in 0 }
        for _ in 0..<2000 {
            let index = Int.random(in: 0..<limits.count, using: &random)
            let free = permits - inFlight.reduce(0, +)
            if Int.random(in: 0..<5, using: &random) > 0 {
                let mayTake = bulkheads.allows(index, inFlight: inFlight[index], free: free)
                if free > permits / Bulkheads.part { #expect(mayTake) }
                if free == 0 { #expect(!mayTake) }
                guard mayTake, inFlight[index] < limits[index] else { continue }
                inFlight[index] += 1
                bulkheads.taken(index, inFlight: inFlight[index])
            } else if inFlight[index] > 0 {
                inFlight[index] -= 1
                bulkheads.givenBack(index, inFlight: inFlight[index])
            }
        }
    }
}
