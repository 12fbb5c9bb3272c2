import Testing

@testable import ProxyAccounting

@Suite struct BudgetStateTests {
    /// 2026-11-29T22:30:00Z, a Sunday.
    static let now: Int64 = 1_795_991_400
    private static let hourEnd: Int64 = 1_795_993_200
    private static let dayEnd: Int64 = 1_795_996_800

    private var state = BudgetState()
    private var clock: BudgetClock

    init() throws { clock = BudgetClock(try #require(BudgetCalendar(timeZone: "UTC"))) }

    private mutating func admit(
        _ tokens: Int64, cost: NanoDollars? = 0, hard: [Budget], soft: [Budget] = [], at seconds: Int64 = now,
        location: SourceLocation = #_sourceLocation
    ) throws -> BudgetAdmission {
        let decision = state.reserve(tokens: tokens, cost: cost, hard: hard, soft: soft, at: seconds, by: &clock)
        guard case .admitted(let admission) = decision else {
            Issue.record("refused: \(decision)", sourceLocation: location)
            throw CancellationError()
        }
        return admission
    }

    private mutating func refuse(
        _ tokens: Int64, cost: NanoDollars? = 0, hard: [Budget], at seconds: Int64 = now,
        location: SourceLocation = #_sourceLocation
    ) throws -> BudgetRefusal {
        let decision = state.reserve(tokens: tokens, cost: cost, hard: hard, at: seconds, by: &clock)
        guard case .refused(let refusal) = decision else {
            Issue.record("admitted", sourceLocation: location)
            throw CancellationError()
        }
        return refusal
    }

    private mutating func spend(_ tokens: Int64, cost: NanoDollars = 0, soft: [Budget] = [], at seconds: Int64 = now)
        throws -> [BudgetStanding]
    {
        let reservation = try admit(0, hard: [], at: seconds).reservation
        return state.settle(reservation, tokens: tokens, cost: cost, soft: soft, at: seconds, by: &clock)
    }

    @Test mutating func `Spent, reserved and the worst case stay within the limit`() throws {
        let budget = Budget(.tokens(100), per: .day)
        let first = try admit(20, hard: [budget])
        _ = try admit(20, hard: [budget])
        _ = try admit(20, hard: [budget])
        _ = try admit(20, hard: [budget])
        _ = try admit(20, hard: [budget])
        let refusal = try refuse(1, hard: [budget])
        #expect(refusal.standing.spent == 0 && refusal.standing.reserved == 100 && refusal.standing.remaining == 0)
        #expect(refusal.needed == 1)
        #expect(refusal.waitsForRunning, "what runs may use less than it has reserved")
        #expect(refusal.standing.resetsAt == Self.dayEnd)

        _ = state.settle(first.reservation, tokens: 5, cost: 0, at: Self.now, by: &clock)
        _ = try admit(15, hard: [budget])
        _ = try refuse(1, hard: [budget])
    }

    @Test mutating func `One request reserves a quarter of the limit at most`() throws {
        let budget = Budget(.tokens(100), per: .day)
        for _ in 0..<4 { _ = try admit(128_000, hard: [budget]) }
        #expect(try refuse(128_000, hard: [budget]).needed == 25)
        #expect(state.standings(of: [budget], at: Self.now, by: &clock).first?.reserved == 100)
    }

    @Test(arguments: [1, 2, 3]) mutating func `A limit too small for quarters is reserved one by one`(limit: Int64)
        throws
    {
        let budget = Budget(.tokens(limit), per: .day)
        for _ in 0..<limit { _ = try admit(1_000, hard: [budget]) }
        _ = try refuse(1_000, hard: [budget])
    }

    @Test mutating func `Nothing is admitted when the limit is spent, not even what needs nothing`() throws {
        let money = Budget(.money(1_000), per: .hour)
        _ = try spend(10, cost: 1_000)
        let refusal = try refuse(0, cost: 0, hard: [money])
        #expect(!refusal.waitsForRunning)
        #expect(refusal.standing.isExceeded && refusal.standing.resetsAt == Self.hourEnd)
        #expect(try refuse(5, cost: nil, hard: [money]).standing.budget == money)
        _ = try admit(0, cost: 900, hard: [money], at: Self.hourEnd)
    }

    @Test mutating func `Without a price a request counts tokens and no money`() throws {
        let budgets = [Budget(.money(1_000), per: .day), Budget(.tokens(100), per: .day)]
        for _ in 0..<4 { _ = try admit(25, cost: nil, hard: budgets) }
        let standings = state.standings(of: budgets, at: Self.now, by: &clock)
        #expect(standings.map(\.reserved) == [0, 100])
        #expect(try refuse(25, cost: nil, hard: budgets).standing.budget == budgets[1])
    }

    @Test mutating func `The budget that refuses for longest is named`() throws {
        let (hour, day, all) = (
            Budget(.tokens(10), per: .hour), Budget(.tokens(20), per: .day), Budget(.tokens(30), per: .total)
        )
        _ = try spend(25)
        #expect(try refuse(1, hard: [hour, day, all]).standing.budget == day)
        #expect(try refuse(1, hard: [day, hour]).standing.budget == day)
        _ = try spend(5)
        let refusal = try refuse(1, hard: [all, day, hour])
        #expect(refusal.standing.budget == all && refusal.standing.resetsAt == nil)
        // What is only reserved may come back, so what is spent counts for more.
        let other = Budget(.tokens(1_000), per: .month)
        for _ in 0..<3 { _ = try admit(250, hard: [other]) }
        #expect(try refuse(250, hard: [hour, other]).standing.budget == hour)
    }

    @Test mutating func `A refused request leaves nothing behind`() throws {
        let budget = Budget(.tokens(100), per: .day)
        _ = try spend(90)
        let before = state
        _ = try refuse(20, hard: [budget, Budget(.tokens(1_000), per: .hour)])
        #expect(state == before)
    }

    @Test mutating func `A request belongs to the period of its arrival`() throws {
        let budgets = [Budget(.tokens(1_000), per: .hour), Budget(.tokens(1_000), per: .day)]
        let reservation = try admit(100, hard: budgets).reservation
        let later = Self.hourEnd + 10
        #expect(state.standings(of: budgets, at: later, by: &clock).map(\.reserved) == [0, 100])
        let new = try admit(30, hard: budgets, at: later).reservation
        _ = state.settle(reservation, tokens: 80, cost: 7, at: later, by: &clock)
        #expect(state.standings(of: budgets, at: later, by: &clock).map(\.spent) == [0, 80])
        #expect(state.standings(of: budgets, at: later, by: &clock).map(\.reserved) == [30, 30])
        _ = state.settle(new, tokens: 20, cost: 3, at: later, by: &clock)
        #expect(state.standings(of: budgets, at: later, by: &clock).map(\.spent) == [20, 100])
        let counter = state.counter(of: "k", per: .day, at: later, by: &clock)
        #expect(
            counter
                == LedgerCounter(
                    key: "k", window: .day, periodStart: Self.dayEnd - 86_400, requests: 2, tokens: 100, cost: 10))
    }

    @Test mutating func `A budget begins anew when its period ends`() throws {
        let budgets = BudgetWindow.allCases.map { Budget(.tokens(100), per: $0) }
        _ = try spend(100)
        #expect(
            state.standings(of: budgets, at: Self.hourEnd - 1, by: &clock).map(\.spent) == [100, 100, 100, 100, 100])
        #expect(state.standings(of: budgets, at: Self.hourEnd, by: &clock).map(\.spent) == [0, 100, 100, 100, 100])
        // The night to a Monday, then to a first.
        #expect(state.standings(of: budgets, at: Self.dayEnd, by: &clock).map(\.spent) == [0, 0, 0, 100, 100])
        #expect(
            state.standings(of: budgets, at: Self.dayEnd + 86_400, by: &clock).map(\.spent) == [0, 0, 0, 0, 100])
    }

    @Test mutating func `A clock that is put back does not begin a period anew`() throws {
        let budget = Budget(.tokens(100), per: .hour)
        _ = try spend(100, at: Self.hourEnd + 5)
        _ = try refuse(1, hard: [budget], at: Self.now)
        #expect(state.standings(of: [budget], at: Self.now, by: &clock).first?.spent == 100)
        #expect(try refuse(1, hard: [budget], at: Self.hourEnd + 6).standing.resetsAt == Self.hourEnd + 3_600)
    }

    @Test mutating func `A clock that was far ahead does not keep a period from ending`() throws {
        let budgets = [Budget(.tokens(100), per: .hour), Budget(.tokens(100), per: .month)]
        let ahead = Self.now + 10 * 365 * 86_400
        _ = try spend(70, at: ahead)
        let running = try admit(20, hard: budgets, at: ahead).reservation
        // It is put right: what was counted stays until the end of the periods that are under way.
        let standings = state.standings(of: budgets, at: Self.now, by: &clock)
        #expect(standings.map(\.spent) == [70, 70] && standings.map(\.reserved) == [20, 20])
        #expect(standings.first?.resetsAt == Self.hourEnd)
        _ = state.settle(running, tokens: 10, cost: 0, at: Self.now, by: &clock)
        #expect(state.standings(of: budgets, at: Self.hourEnd, by: &clock).map(\.spent) == [0, 80])
        #expect(state.standings(of: budgets, at: Self.hourEnd, by: &clock).map(\.reserved) == [0, 0])
        #expect(state.standings(of: budgets, at: Self.dayEnd + 86_400, by: &clock).map(\.spent) == [0, 0])
    }

    @Test mutating func `An edited budget goes on with what was spent`() throws {
        _ = try spend(60)
        _ = try admit(10, hard: [Budget(.tokens(100), per: .day)])
        _ = try refuse(10, hard: [Budget(.tokens(60), per: .day)])
        _ = try refuse(10, hard: [Budget(.tokens(30), per: .day)])
        // One that is added counts the period from its beginning.
        _ = try refuse(1, hard: [Budget(.tokens(60), per: .month)])
        _ = try admit(10, hard: [Budget(.tokens(200), per: .day)])
        let standing = state.standings(of: [Budget(.tokens(30), per: .day)], at: Self.now, by: &clock).first
        #expect(standing?.remaining == 0 && standing?.spent == 60)
    }

    @Test mutating func `A soft budget is told of once in a period`() throws {
        let (hour, day) = (Budget(.money(100), per: .hour), Budget(.money(150), per: .day))
        #expect(try spend(0, cost: 99, soft: [hour, day]).isEmpty)
        #expect(try admit(0, hard: [], soft: [hour, day]).exceeded.isEmpty)
        #expect(try spend(0, cost: 1, soft: [hour, day]).map(\.budget) == [hour])
        #expect(try spend(0, cost: 49, soft: [hour, day]).isEmpty)
        let admission = try admit(0, hard: [], soft: [hour, day])
        #expect(admission.exceeded.map(\.budget) == [hour] && admission.crossed.isEmpty)
        #expect(try spend(0, cost: 1, soft: [hour, day]).map(\.budget) == [day])
        // The next hour.
        #expect(try spend(0, cost: 100, soft: [hour, day], at: Self.hourEnd).map(\.budget) == [hour])
        // One that is edited is another: by the next request.
        let lower = Budget(.money(120), per: .day)
        #expect(try admit(0, hard: [], soft: [lower], at: Self.hourEnd).crossed.map(\.budget) == [lower])
        #expect(try admit(0, hard: [], soft: [lower, day], at: Self.hourEnd).crossed.isEmpty)
    }

    @Test mutating func `Counters of the ledger are gone on from, without another alert`() throws {
        func counter(_ window: BudgetWindow, _ start: Int64, _ tokens: Int64) -> LedgerCounter {
            LedgerCounter(key: "k", window: window, periodStart: start, requests: 2, tokens: tokens, cost: tokens * 10)
        }
        let day = Self.dayEnd - 86_400
        let soft = [Budget(.tokens(70), per: .day), Budget(.tokens(100), per: .total)]
        state.restore(
            [
                counter(.hour, Self.hourEnd - 3_600, 30), counter(.day, day, 70), counter(.total, 0, 90),
                // Ended; and of a zone that is 5 hours ahead, which has begun before.
                counter(.hour, Self.hourEnd - 7_200, 500), counter(.week, day - 6 * 86_400 - 5 * 3_600, 500),
            ], soft: soft, at: Self.now, by: &clock)
        let budgets = BudgetWindow.allCases.map { Budget(.money(10_000), per: $0) }
        #expect(state.standings(of: budgets, at: Self.now, by: &clock).map(\.spent) == [300, 700, 0, 0, 900])
        #expect(try spend(1, soft: soft).isEmpty, "the day's was told of before")
        #expect(try spend(9, soft: soft).map(\.budget) == [soft[1]])
        #expect(state.counter(of: "k", per: .hour, at: Self.now, by: &clock).requests == 4)
        _ = try refuse(0, hard: [Budget(.tokens(80), per: .day)])
    }

    @Test mutating func `Sums that are too large stay at the largest, and negative counts are 0`() throws {
        let budget = Budget(.tokens(.max), per: .total)
        _ = try spend(.max)
        _ = try spend(.max, cost: .min)
        let standing = try refuse(.max, hard: [budget]).standing
        #expect(standing.spent == .max && standing.remaining == 0)
        _ = try admit(.min, cost: .min, hard: [Budget(.money(5), per: .total)])
        #expect(state.standings(of: [Budget(.money(5), per: .total)], at: Self.now, by: &clock).first?.reserved == 0)
    }

    @Test mutating func `A reservation that is settled twice never makes room for more than there is`() throws {
        let budget = Budget(.tokens(100), per: .day)
        let reservation = try admit(25, hard: [budget]).reservation
        for _ in 0..<2 { _ = state.settle(reservation, tokens: 0, cost: 0, at: Self.now, by: &clock) }
        #expect(state.standings(of: [budget], at: Self.now, by: &clock).first?.reserved == 0)
    }
}
