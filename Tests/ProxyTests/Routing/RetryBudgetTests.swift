import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct RetryBudgetTests {
    @Test func `Three a second are always allowed`() {
        var budget = RetryBudget()
        for second in 0..<5 {
            for _ in 0..<3 {
                #expect(budget.allowsRetry(at: .seconds(second)))
                budget.noteRetry(at: .seconds(second))
            }
            #expect(!budget.allowsRetry(at: .seconds(second)))
        }
    }

    @Test func `A fifth of the requests of the last ten seconds`() {
        var budget = RetryBudget()
        for tenth in 0..<100 {
            for _ in 0..<10 { budget.noteRequest(at: .milliseconds(tenth * 100)) }
        }
        let now = Duration.milliseconds(9900)
        var retries = 0
        while budget.allowsRetry(at: now) {
            budget.noteRetry(at: now)
            retries += 1
        }
        #expect(retries == 200)
        #expect(budget.allowsRetry(at: .seconds(10)), "a new second has its own three")
        #expect(budget.allowsRetry(at: .seconds(40)))
    }
}
