import Testing

@testable import ProxyTelemetry

@Suite struct RetryPlanTests {
    private static func verdict(
        _ result: RetryPlan.Result, tries: Int = 1, end: Duration = .seconds(130), random: Double = 1
    ) -> RetryPlan.Verdict {
        RetryPlan().verdict(on: result, afterTries: tries, at: .seconds(100), end: end, random: random)
    }

    @Test(arguments: [200, 202, 204])
    func `A success is one`(status: Int) {
        #expect(Self.verdict(.answered(status: status, retryAfter: nil)) == .accepted)
    }

    @Test(arguments: [100, 301, 400, 401, 403, 404, 408, 413, 415, 500, 501, 505])
    func `What will not get better is dropped at once`(status: Int) {
        #expect(
            Self.verdict(.answered(status: status, retryAfter: .seconds(1))) == .drop(.refused, quietUntil: nil))
    }

    @Test(arguments: [429, 502, 503, 504])
    func `What may get better is tried again, when the collector says`(status: Int) {
        #expect(Self.verdict(.answered(status: status, retryAfter: .seconds(7))) == .again(at: .seconds(107)))
        #expect(Self.verdict(.answered(status: status, retryAfter: .zero)) == .again(at: .seconds(100)))
        #expect(Self.verdict(.answered(status: status, retryAfter: .seconds(-7))) == .again(at: .seconds(100)))
        #expect(Self.verdict(.answered(status: status, retryAfter: nil)) == .again(at: .seconds(101)))
    }

    @Test(arguments: [(1, 1), (2, 2), (3, 4), (4, 8)])
    func `Pauses double, and half of each is left to chance`(tries: Int, seconds: Int) {
        #expect(Self.verdict(.failed, tries: tries, random: 1) == .again(at: .seconds(100 + seconds)))
        #expect(
            Self.verdict(.failed, tries: tries, random: 0)
                == .again(at: .seconds(100) + .milliseconds(500 * seconds)))
    }

    @Test func `Pauses have a longest one`() {
        var plan = RetryPlan()
        plan.tries = 1_000
        let verdict = plan.verdict(on: .failed, afterTries: 999, at: .zero, end: .seconds(3_600), random: 1)
        #expect(verdict == .again(at: .seconds(10)))
    }

    @Test func `There is an end to it`() {
        #expect(Self.verdict(.failed, tries: 5) == .drop(.unavailable, quietUntil: nil))
        #expect(Self.verdict(.failed, tries: 4, end: .seconds(108)) == .drop(.unavailable, quietUntil: nil))
        #expect(Self.verdict(.failed, tries: 4, end: .seconds(109)) == .again(at: .seconds(108)))
        #expect(Self.verdict(.failed, end: .seconds(99)) == .drop(.unavailable, quietUntil: nil))
    }

    @Test func `A collector that wants more time than there is, is left alone for it`() {
        let result = RetryPlan.Result.answered(status: 429, retryAfter: .seconds(60))
        #expect(Self.verdict(result) == .drop(.unavailable, quietUntil: .seconds(160)))
        #expect(
            Self.verdict(.answered(status: 503, retryAfter: .seconds(86_400)))
                == .drop(.unavailable, quietUntil: .seconds(700)))
    }
}
