import ProxyAccounting
import ProxyTestSupport
import Testing

@testable import Proxy

/// Keys that have nothing to reserve are charged by threads, and counted when somebody looks.
@Suite struct RecentChargesTests {
    private static let noon: Int64 = 1_772_582_400 + 12 * 3600

    private func counter(_ account: KeyAccount, _ window: BudgetWindow, at seconds: Int64) -> LedgerCounter? {
        account.counters(at: seconds).first { $0.window == window }
    }

    @Test func `What many threads charge is all there, whenever somebody looks`() async {
        let account = KeyAccount(name: "k")
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<16 {
                group.addTask {
                    for number in 0..<500 {
                        account.charge(tokens: 3, cost: 5, Self.noon + Int64(task))
                        if number % 100 == 99 { _ = account.counters(at: Self.noon) }
                    }
                }
            }
        }
        for window in BudgetWindow.allCases {
            let counter = counter(account, window, at: Self.noon + 60)
            #expect(counter?.requests == 8000 && counter?.tokens == 24_000 && counter?.cost == 40_000, "\(window)")
        }
    }

    @Test func `A request belongs to the periods in which it arrived`() {
        let account = KeyAccount(name: "k")
        account.charge(tokens: 1, cost: 1, Self.noon)
        account.charge(tokens: 2, cost: 2, Self.noon + 1)
        // The next day, and one that had arrived the day before.
        account.charge(tokens: 10, cost: 10, Self.noon + 86_400)
        account.charge(tokens: 100, cost: 100, Self.noon)
        account.charge(tokens: 20, cost: 20, Self.noon + 86_401)
        #expect(counter(account, .day, at: Self.noon + 86_402)?.tokens == 30)
        #expect(counter(account, .hour, at: Self.noon + 86_402)?.requests == 2)
        #expect(counter(account, .total, at: Self.noon + 86_402)?.tokens == 133)
    }

    @Test func `A budget that comes later counts what has been charged without one`() {
        let account = KeyAccount(name: "k")
        for _ in 0..<9 { account.charge(tokens: 10, cost: 0, Self.noon) }
        var limits = KeyLimits()
        limits.hardBudgets = [Budget(.tokens(100), per: .day)]
        #expect(throws: KeyAccount.Refusal.self) {
            for _ in 0..<3 { _ = try account.reserve(tokens: 10, cost: nil, by: limits, at: .zero, Self.noon) }
        }
        #expect(account.standings(of: limits.hardBudgets, at: Self.noon).first?.spent == 90)
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func `Charged at once or by threads, the counters are the same`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let account = KeyAccount(name: "k")
        var state = BudgetState()
        var clock = BudgetClock(.utc)
        var now = Self.noon
        for _ in 0..<200 {
            now += Int64.random(in: 0..<4000, using: &random)
            let tokens = Int64.random(in: 0..<1000, using: &random)
            account.charge(tokens: tokens, cost: tokens * 7, now)
            _ = state.charge(tokens: tokens, cost: tokens * 7, at: now, by: &clock)
            guard Int.random(in: 0..<10, using: &random) == 0 else { continue }
            let expected = BudgetWindow.allCases.map { state.counter(of: "k", per: $0, at: now, by: &clock) }
            #expect(account.counters(at: now) == expected)
        }
    }
}
