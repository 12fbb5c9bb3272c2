import Testing

@testable import ProxyAccounting

@Suite struct RateBucketTests {
    @Test(arguments: [1, 2, 7, 60, 90_000, 1_000_000])
    func `A full bucket holds a minute's worth and no more`(limit: Int) {
        var bucket = RateBucket()
        let half = Int64((limit + 1) / 2)
        var left = limit
        for amount in [half, Int64(limit) - half] where amount > 0 {
            let standing = bucket.take(amount, limit: limit, at: .seconds(5))
            left -= Int(amount)
            #expect(standing.refusedFor == nil && standing.remaining == left && standing.limit == limit)
        }
        let refused = bucket.take(1, limit: limit, at: .seconds(5))
        #expect(refused.remaining == 0)
        let wait = refused.refusedFor ?? .zero
        #expect(wait > .zero && wait <= .seconds(60) / limit)
        #expect(bucket.take(1, limit: limit, at: .seconds(5) + wait).refusedFor == nil, "the wait is enough")
    }

    @Test func `It fills evenly`() {
        var bucket = RateBucket()
        _ = bucket.take(6_000, limit: 6_000, at: .zero)
        #expect(bucket.standing(limit: 6_000, at: .zero).fullIn == .seconds(60))
        #expect(bucket.standing(limit: 6_000, at: .seconds(15)).remaining == 1_500)
        #expect(bucket.standing(for: 1_501, limit: 6_000, at: .seconds(15)).refusedFor == .milliseconds(10))
        #expect(bucket.take(1_500, limit: 6_000, at: .seconds(15)).remaining == 0)
        #expect(bucket.standing(limit: 6_000, at: .seconds(3_600)).remaining == 6_000)
        #expect(bucket.standing(limit: 6_000, at: .seconds(3_600)).fullIn == .zero)
    }

    @Test func `It is full at first, whatever the clock says`() {
        #expect(RateBucket().standing(limit: 5, at: .seconds(-1_000)).remaining == 5)
    }

    @Test func `What is more than the whole bucket is let in when it is full, and paid for`() {
        var bucket = RateBucket()
        _ = bucket.take(1, limit: 60, at: .zero)
        #expect(bucket.take(600, limit: 60, at: .milliseconds(900)).refusedFor == .milliseconds(100))
        let standing = bucket.take(150, limit: 60, at: .seconds(1))
        #expect(standing.refusedFor == nil && standing.remaining == 0 && standing.fullIn == .seconds(150))
        #expect(bucket.take(1, limit: 60, at: .seconds(1)).refusedFor == .seconds(91))
        #expect(bucket.standing(limit: 60, at: .seconds(92)).remaining == 1)
    }

    @Test func `What was not used is given back, and never more than the bucket holds`() {
        var bucket = RateBucket()
        _ = bucket.take(50, limit: 60, at: .zero)
        bucket.correct(by: -30, limit: 60, at: .zero)
        #expect(bucket.standing(limit: 60, at: .zero).remaining == 40)
        bucket.correct(by: -1_000, limit: 60, at: .zero)
        #expect(bucket.standing(limit: 60, at: .zero).remaining == 60)
        #expect(bucket.take(60, limit: 60, at: .zero).refusedFor == nil)
        #expect(bucket.take(1, limit: 60, at: .zero).refusedFor != nil)
        // The bucket has filled meanwhile.
        bucket.correct(by: -60, limit: 60, at: .seconds(50))
        _ = bucket.take(60, limit: 60, at: .seconds(50))
        #expect(bucket.take(1, limit: 60, at: .seconds(50)).refusedFor == .seconds(1))
    }

    @Test func `What was used beyond is taken, into debt`() {
        var bucket = RateBucket()
        _ = bucket.take(60, limit: 60, at: .zero)
        bucket.correct(by: 30, limit: 60, at: .zero)
        let standing = bucket.take(1, limit: 60, at: .zero)
        #expect(standing.refusedFor == .seconds(31) && standing.remaining == 0 && standing.fullIn == .seconds(90))
    }

    @Test(arguments: [Int64.max, .min])
    func `Counts that cannot be do not close it for good`(amount: Int64) {
        var bucket = RateBucket()
        bucket.correct(by: amount, limit: 1, at: .zero)
        #expect(bucket.standing(limit: 1, at: .zero).fullIn <= .seconds(3_600))
        bucket.correct(by: amount, limit: .max, at: .zero)
        #expect(bucket.standing(limit: 1, at: .seconds(3_600)).remaining == 1)
    }

    @Test func `A limit that changes applies as a share`() {
        var bucket = RateBucket()
        _ = bucket.take(25, limit: 100, at: .zero)
        #expect(bucket.standing(limit: 1_000, at: .zero).remaining == 750)
        #expect(bucket.standing(limit: 4, at: .zero).remaining == 3)
        // What was taken as a share comes back as that share.
        bucket.correct(by: -25, limit: 100, at: .zero)
        #expect(bucket.standing(limit: 4, at: .zero).remaining == 4)
    }

    @Test(arguments: UInt64(0)..<40)
    func `Over no time more is let in than a minute's worth and what flows in`(seed: UInt64) {
        var dice = Dice(seed)
        let limit = Int.random(in: 1...5_000, using: &dice)
        var bucket = RateBucket()
        var now = Duration.milliseconds(Int64.random(in: 0...1_000_000, using: &dice))
        var events: [(at: Duration, amount: Int64)] = []
        var taken: [Int64] = []
        for _ in 0..<300 {
            if Bool.random(using: &dice) { now += .milliseconds(Int64.random(in: 0...8_000, using: &dice)) }
            let before = bucket.standing(limit: limit, at: now)
            #expect(before.remaining >= 0 && before.remaining <= limit && before.fullIn >= .zero)
            if Int.random(in: 0..<3, using: &dice) == 0, let amount = taken.popLast() {
                // Used: less or as much. What is beyond is debt, and is let in by nobody.
                let used = Int64.random(in: 0...amount, using: &dice)
                bucket.correct(by: used - amount, limit: limit, at: now)
                let after = bucket.standing(limit: limit, at: now)
                #expect(after.remaining <= limit && after.fullIn <= before.fullIn)
                events.append((now, used - amount))
            } else {
                let amount = Int64.random(in: 1...Int64(limit), using: &dice)
                guard bucket.take(amount, limit: limit, at: now).refusedFor == nil else {
                    #expect(before.remaining < amount)
                    continue
                }
                #expect(before.remaining >= amount)
                events.append((now, amount))
                taken.append(amount)
            }
        }
        for first in events.indices {
            var sum: Int64 = 0
            for last in first..<events.endIndex {
                sum += events[last].amount
                let seconds = (events[last].at - events[first].at) / .seconds(1)
                #expect(Double(sum) <= Double(limit) * (1 + seconds / 60) + 0.001, "seed \(seed)")
            }
        }
    }
}

@Suite struct KeyRatesTests {
    private var rates = KeyRates()

    private mutating func grant(_ estimate: Int64, rpm: Int?, tpm: Int?, at now: Duration = .zero) throws
        -> KeyRates.Grant
    {
        guard
            case .admitted(let grant) = rates.admit(
                estimate: estimate, requestsPerMinute: rpm, tokensPerMinute: tpm, at: now)
        else {
            Issue.record("refused")
            throw CancellationError()
        }
        return grant
    }

    @Test mutating func `Requests and tokens have limits of their own`() throws {
        _ = try grant(10, rpm: 2, tpm: 100)
        _ = try grant(10, rpm: 2, tpm: 100)
        #expect(
            rates.admit(estimate: 10, requestsPerMinute: 2, tokensPerMinute: 100, at: .zero)
                == .refused(by: .requests, until: .seconds(30)))
        _ = try grant(80, rpm: nil, tpm: 100)
        #expect(
            rates.admit(estimate: 10, requestsPerMinute: nil, tokensPerMinute: 100, at: .zero)
                == .refused(by: .tokens, until: .seconds(6)))
        _ = try grant(10, rpm: nil, tpm: nil)
    }

    @Test mutating func `The longer wait is told`() throws {
        _ = try grant(100, rpm: 1, tpm: 100)
        #expect(
            rates.admit(estimate: 10, requestsPerMinute: 1, tokensPerMinute: 100, at: .zero)
                == .refused(by: .requests, until: .seconds(60)))
        #expect(
            rates.admit(estimate: 60, requestsPerMinute: 2, tokensPerMinute: 100, at: .zero)
                == .refused(by: .tokens, until: .seconds(36)))
    }

    @Test mutating func `Of a refused request nothing is taken`() throws {
        _ = try grant(100, rpm: 10, tpm: 100)
        let before = rates
        for _ in 0..<20 { _ = rates.admit(estimate: 1, requestsPerMinute: 10, tokensPerMinute: 100, at: .zero) }
        #expect(rates == before)
    }

    @Test mutating func `An estimate is corrected at the end`() throws {
        let first = try grant(80, rpm: 10, tpm: 100)
        rates.settle(first, used: 20, at: .zero)
        #expect(rates.standings(requestsPerMinute: 10, tokensPerMinute: 100, at: .zero).tokens?.remaining == 80)
        let second = try grant(10, rpm: 10, tpm: 100)
        rates.settle(second, used: 130, at: .zero)
        let standings = rates.standings(requestsPerMinute: 10, tokensPerMinute: 100, at: .zero)
        #expect(standings.tokens?.remaining == 0 && standings.tokens?.fullIn == .seconds(90))
        #expect(standings.requests?.remaining == 8 && standings.requests?.limit == 10)
        let third = try grant(100, rpm: 10, tpm: 100, at: .seconds(100))
        rates.settle(third, used: 0, at: .seconds(100))
        #expect(
            rates.standings(requestsPerMinute: nil, tokensPerMinute: 100, at: .seconds(100)).tokens?.remaining == 100)
    }

    @Test mutating func `Without a limit there is no standing, and nothing to correct`() throws {
        let grant = try grant(1_000, rpm: nil, tpm: nil)
        rates.settle(grant, used: 5_000, at: .zero)
        let none = rates.standings(requestsPerMinute: nil, tokensPerMinute: nil, at: .zero)
        #expect(none.requests == nil && none.tokens == nil)
        #expect(rates.standings(requestsPerMinute: 5, tokensPerMinute: 100, at: .zero).tokens?.remaining == 100)
    }

    @Test mutating func `A large request waits for the full bucket`() throws {
        _ = try grant(1, rpm: nil, tpm: 60)
        #expect(
            rates.admit(estimate: 5_000, requestsPerMinute: nil, tokensPerMinute: 60, at: .zero)
                == .refused(by: .tokens, until: .seconds(1)))
        let large = try grant(5_000, rpm: nil, tpm: 60, at: .seconds(1))
        rates.settle(large, used: 30, at: .seconds(2))
        #expect(rates.standings(requestsPerMinute: nil, tokensPerMinute: 60, at: .seconds(2)).tokens?.remaining == 60)
    }
}
