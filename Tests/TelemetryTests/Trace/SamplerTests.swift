import Testing

@testable import ProxyTelemetry

@Suite struct SamplerTests {
    @Test(
        arguments: [
            (Sampler(.all, parentDecides: true), nil, true), (Sampler(.all, parentDecides: true), true, true),
            (Sampler(.all, parentDecides: true), false, false), (Sampler(.none, parentDecides: true), nil, false),
            (Sampler(.none, parentDecides: true), true, true), (Sampler(.none, parentDecides: true), false, false),
            (Sampler(.ratio(0), parentDecides: true), true, true),
            (Sampler(.ratio(1), parentDecides: true), false, false),
            (Sampler(.all, parentDecides: false), false, true), (Sampler(.none, parentDecides: false), true, false),
            (Sampler(.ratio(0), parentDecides: false), true, false),
            (Sampler(.ratio(1), parentDecides: false), false, true),
        ] as [(Sampler, Bool?, Bool)]
    )
    func `The parent's flag wins where it may`(sampler: Sampler, parent: Bool?, samples: Bool) {
        var dice = Dice(3)
        for _ in 0..<50 { #expect(sampler.samples(TraceID(using: &dice), parentIsSampled: parent) == samples) }
    }

    @Test(arguments: [0.0, 0.01, 0.25, 0.5, 0.99, 1.0])
    func `A ratio is that share of traces`(ratio: Double) {
        var dice = Dice(4)
        let sampler = Sampler(.ratio(ratio), parentDecides: true)
        let count = 20_000
        let sampled = (0..<count).count { _ in sampler.samples(TraceID(using: &dice), parentIsSampled: nil) }
        #expect(abs(Double(sampled) / Double(count) - ratio) < 0.015)
    }

    @Test func `Whoever is sampled by a small ratio is sampled by a larger one`() {
        var dice = Dice(5)
        for _ in 0..<5_000 {
            let trace = TraceID(using: &dice)
            let ratios = [Double.random(in: 0...1, using: &dice), Double.random(in: 0...1, using: &dice)].sorted()
            let sampled = ratios.map {
                Sampler(.ratio($0), parentDecides: true).samples(trace, parentIsSampled: nil)
            }
            #expect(!sampled[0] || sampled[1])
        }
    }

    @Test func `A ratio decides as the SDKs of Go and Java do`() throws {
        let half = Sampler(.ratio(0.5), parentDecides: true)
        // The uppermost of the lower 64 bits counts for nothing.
        for (low, sampled) in [
            (0, true), (0x3FFF_FFFF_FFFF_FFFF, true), (0x4000_0000_0000_0000, false),
            (0xBFFF_FFFF_FFFF_FFFF, true), (0xFFFF_FFFF_FFFF_FFFF, false),
        ] as [(UInt64, Bool)] {
            let trace = try #require(TraceID(high: .max, low: low))
            #expect(half.samples(trace, parentIsSampled: nil) == sampled)
        }
    }

    @Test func `Errors, rescues and slow requests are kept anyway`() {
        let sampler = Sampler(.ratio(0.01), parentDecides: true)
        #expect(sampler.keepsAnyway(.init(isError: true)))
        #expect(sampler.keepsAnyway(.init(isError: false, wasRescued: true)))
        #expect(!sampler.keepsAnyway(.init(isError: false, duration: .seconds(9))))
        #expect(sampler.keepsAnyway(.init(isError: false, duration: .seconds(9)), slow: .seconds(8)))
        #expect(!sampler.keepsAnyway(.init(isError: false, duration: .seconds(8)), slow: .seconds(8)))
    }

    @Test(arguments: [true, false])
    func `Nothing is kept when the operator wants nothing`(parentDecides: Bool) {
        let sampler = Sampler(.none, parentDecides: parentDecides)
        #expect(!sampler.keepsAnyway(.init(isError: true, wasRescued: true, duration: .seconds(9)), slow: .zero))
    }
}
