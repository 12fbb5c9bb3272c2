import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct RequestBucketTests {
    @Test(arguments: [1, 2, 7, 60, 1_000_000])
    func `A full bucket holds a minute's worth and no more`(limit: Int) {
        var bucket = RequestBucket()
        for left in (0..<min(limit, 100)).reversed() {
            let standing = bucket.take(limit: limit, at: .seconds(5))
            #expect(standing.refusedFor == nil)
            #expect(standing.remaining == limit - min(limit, 100) + left)
        }
        guard limit <= 100 else { return }
        let refused = bucket.take(limit: limit, at: .seconds(5))
        #expect(refused.remaining == 0)
        let wait = refused.refusedFor ?? .zero
        #expect(wait > .zero && wait <= .seconds(60) / limit)
        #expect(bucket.take(limit: limit, at: .seconds(5) + wait).refusedFor == nil, "the wait that it says is enough")
    }

    @Test func `It fills evenly`() {
        var bucket = RequestBucket()
        for _ in 0..<60 { _ = bucket.take(limit: 60, at: .zero) }
        #expect(bucket.take(limit: 60, at: .milliseconds(999)).refusedFor == .milliseconds(1))
        #expect(bucket.take(limit: 60, at: .seconds(1)).refusedFor == nil)
        #expect(bucket.take(limit: 60, at: .seconds(1)).refusedFor == .seconds(1))
        #expect(bucket.standing(limit: 60, at: .seconds(31)).remaining == 30)
        #expect(bucket.standing(limit: 60, at: .seconds(31)).fullIn == .seconds(30))
        #expect(bucket.standing(limit: 60, at: .seconds(3600)).remaining == 60)
    }

    @Test func `Refused requests cost nothing`() {
        var bucket = RequestBucket()
        _ = bucket.take(limit: 1, at: .zero)
        for second in 1..<60 {
            #expect(bucket.take(limit: 1, at: .seconds(second)).refusedFor == .seconds(60 - second))
        }
        #expect(bucket.take(limit: 1, at: .seconds(60)).refusedFor == nil)
    }

    @Test func `Another limit takes effect at once and keeps the share`() {
        var bucket = RequestBucket()
        for _ in 0..<5 { _ = bucket.take(limit: 10, at: .zero) }
        #expect(bucket.standing(limit: 100, at: .zero).remaining == 50)
        #expect(bucket.standing(limit: 2, at: .zero).remaining == 1)
        for _ in 0..<5 { _ = bucket.take(limit: 10, at: .zero) }
        #expect(bucket.standing(limit: 10, at: .zero).refusedFor == .seconds(6))
        #expect(bucket.standing(limit: 600, at: .zero).refusedFor == .milliseconds(100))
    }

    /// Whatever the pattern, in any minute that begins with a full bucket no more than the limit and what flows in are let in.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func `No more are let in than there is`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let limit = Int.random(in: 1...200, using: &random)
        var bucket = RequestBucket()
        var now = Duration.zero
        var admitted = 0
        for _ in 0..<2000 {
            now += .milliseconds(Int.random(in: 0...200, using: &random))
            let standing = bucket.take(limit: limit, at: now)
            if standing.refusedFor == nil { admitted += 1 }
            #expect(
                (0...limit).contains(standing.remaining) && standing.fullIn >= .zero && standing.fullIn <= .seconds(60))
        }
        let flowed = Double(limit) * (Double(now.milliseconds) / 60_000 + 1)
        #expect(Double(admitted) <= flowed + 1)
    }
}

@Suite struct RequestRatesTests {
    @Test func `Every key has a bucket of its own`() {
        let rates = RequestRates()
        #expect(rates.take("a", limit: 1, at: .zero)?.refusedFor == nil)
        #expect(rates.take("a", limit: 1, at: .zero)?.refusedFor != nil)
        #expect(rates.take("b", limit: 1, at: .zero)?.refusedFor == nil)
        #expect(rates.refused.map(\.key) == ["a", "b"] && rates.refused.map(\.count) == [1, 0])
    }

    @Test func `A look takes nothing and counts a refusal`() {
        let rates = RequestRates()
        for _ in 0..<3 { #expect(rates.refusal(of: "a", limit: 2, at: .zero) == nil) }
        #expect(rates.take("a", limit: 2, at: .zero)?.remaining == 1)
        #expect(rates.take("a", limit: 2, at: .zero)?.remaining == 0)
        #expect(rates.refusal(of: "a", limit: 2, at: .zero)?.refusedFor == .seconds(30))
        #expect(rates.refused.map(\.count) == [1])
    }

    @Test func `Keys that went are forgotten and the others keep their bucket`() {
        let rates = RequestRates()
        for key in ["a", "b"] { _ = rates.take(key, limit: 1, at: .zero) }
        rates.keep(["b", "c"])
        #expect(rates.take("b", limit: 1, at: .zero)?.refusedFor != nil)
        #expect(rates.take("a", limit: 1, at: .zero)?.refusedFor == nil)
    }

    @Test func `Without a limit nothing is kept`() {
        let rates = RequestRates()
        for _ in 0..<1000 {
            #expect(rates.take("a", limit: 0, at: .zero) == nil && rates.refusal(of: "a", limit: 0, at: .zero) == nil)
        }
        #expect(rates.refused.isEmpty)
    }
}
