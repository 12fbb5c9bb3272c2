import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct FailoverPlanTests {
    private func error(_ status: Int) -> Failure {
        OCIErrorReader.translate(
            status: status, retryAfter: nil, body: Array(#"{"message":"status \#(status)"}"#.utf8), account: "a")
    }
    private let ready = RouteRefusal.Outlook(earliest: .zero, isThrottled: false)

    @Test func `Each upstream is tried once before any twice`() {
        var plan = FailoverPlan(accepts: UpstreamSet(first: 3), retryAttempts: 5)
        #expect(!plan.terms.isRetry)
        let mayGoOn1 = plan.note(.failed, error(502), at: 1, .zero)
        #expect(mayGoOn1)
        #expect(Array(plan.terms.accepts) == [0, 2] && plan.terms.isRetry && Array(plan.terms.haveFailed) == [1])
        let mayGoOn2 = plan.note(.failed, error(502), at: 0, .zero)
        #expect(mayGoOn2)
        let mayGoOn3 = plan.note(.failed, error(502), at: 2, .zero)
        #expect(mayGoOn3)
        #expect(plan.terms.accepts.isEmpty)
        let pause4 = plan.pause(ready, at: .zero, deadline: .seconds(300), jitter: 0.5)
        #expect(pause4 == .milliseconds(250))
        #expect(Array(plan.terms.accepts) == [0, 1, 2] && Array(plan.terms.haveFailed) == [0, 1, 2])
    }

    @Test(arguments: [AttemptOutcome.timedOut, .credentialsRefused, .modelUnavailable])
    func `Whom a pause does not mend is not asked again`(outcome: AttemptOutcome) {
        var plan = FailoverPlan(accepts: UpstreamSet(first: 2), retryAttempts: 5)
        _ = plan.note(outcome, error(504), at: 0, .zero)
        _ = plan.note(.failed, error(502), at: 1, .zero)
        #expect(Array(plan.repeatable) == [1])
        _ = plan.pause(ready, at: .zero, deadline: .seconds(300), jitter: 0.5)
        #expect(Array(plan.terms.accepts) == [1])
    }

    @Test func `No more attempts than allowed`() {
        var plan = FailoverPlan(accepts: UpstreamSet(first: 9), retryAttempts: 2)
        let mayGoOn5 = plan.note(.failed, error(502), at: 0, .zero)
        #expect(mayGoOn5)
        let mayGoOn6 = plan.note(.failed, error(502), at: 1, .zero)
        #expect(mayGoOn6)
        let mayGoOn7 = plan.note(.failed, error(502), at: 2, .zero)
        #expect(!mayGoOn7)
        var none = FailoverPlan(accepts: UpstreamSet(first: 9), retryAttempts: 0)
        let mayGoOn8 = none.note(.failed, error(502), at: 0, .zero)
        #expect(!mayGoOn8)
    }

    @Test func `Pauses double up to five seconds with jitter`() {
        var plan = FailoverPlan(accepts: UpstreamSet(first: 1), retryAttempts: 9)
        var pauses: [Duration?] = []
        for _ in 0..<7 {
            _ = plan.note(.failed, error(502), at: 0, .zero)
            pauses.append(plan.pause(ready, at: .zero, deadline: .seconds(300), jitter: 0.5))
        }
        #expect(pauses == [250, 500, 1000, 2000, 4000, 5000, 5000].map { .milliseconds($0) })
        var low = FailoverPlan(accepts: UpstreamSet(first: 1), retryAttempts: 9)
        _ = low.note(.failed, error(502), at: 0, .zero)
        let pause9 = low.pause(ready, at: .zero, deadline: .seconds(300), jitter: 0)
        #expect(pause9 == .microseconds(187_500))
    }

    @Test(arguments: [(3, 3), (5, 5), (6, nil)] as [(Int, Int?)])
    func `A pause lasts as long as the upstream asks up to five seconds`(asked: Int, paused: Int?) {
        var plan = FailoverPlan(accepts: UpstreamSet(first: 1), retryAttempts: 3)
        _ = plan.note(.rateLimited(retryAfter: asked), error(429), at: 0, .zero)
        let outlook = RouteRefusal.Outlook(earliest: .seconds(10 + asked), isThrottled: true)
        let pause10 = plan.pause(outlook, at: .seconds(10), deadline: .seconds(300), jitter: 0.5)
        #expect(
            pause10 == paused.map { .seconds($0) + .milliseconds(50) },
            "those who wait for one moment come one after the other")
    }

    @Test func `No pause beyond the deadline nor for nothing`() {
        var plan = FailoverPlan(accepts: UpstreamSet(first: 1), retryAttempts: 3)
        let pause11 = plan.pause(ready, at: .zero, deadline: .seconds(300), jitter: 0.5)
        #expect(pause11 == nil, "nothing has been tried")
        _ = plan.note(.failed, error(502), at: 0, .zero)
        let pause12 = plan.pause(
            .init(earliest: nil, isThrottled: false), at: .zero, deadline: .seconds(300), jitter: 0.5)
        #expect(pause12 == nil)
        let pause13 = plan.pause(ready, at: .zero, deadline: .milliseconds(250), jitter: 0.5)
        #expect(pause13 == nil)
    }

    @Test func `The error is the last that may pass`() {
        var plan = FailoverPlan(accepts: UpstreamSet(first: 4), retryAttempts: 5)
        _ = plan.note(.modelUnavailable, error(404), at: 0, .zero)
        #expect(plan.error?.status == 404)
        _ = plan.note(.credentialsRefused, error(401), at: 1, .zero)
        #expect(plan.error?.kind == .credentialsDoubted)
        _ = plan.note(.timedOut, error(504), at: 2, .zero)
        _ = plan.note(.failed, error(502), at: 3, .zero)
        _ = plan.note(.credentialsRefused, error(401), at: 1, .zero)
        #expect(plan.error?.kind == .failed(.serverError))
    }
}
