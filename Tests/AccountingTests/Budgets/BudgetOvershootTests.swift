import Testing

@testable import ProxyAccounting

/// Requests that come, run, and end in any order, over all windows, while time passes and limits are edited.
@Suite struct BudgetOvershootTests {
    private struct Running {
        let reservation: BudgetReservation
        let arrival: Int64
        let tokens: Int64
        let cost: Int64
    }

    /// What a window's accounts must hold, counted in the plainest way.
    private struct Model {
        var period: BudgetPeriod
        var spent: [Bool: Int64] = [true: 0, false: 0]
        var limit: [Bool: Int64] = [:]
        /// The running requests' possible excess when the last one was admitted.
        var excess: [Bool: Int64] = [:]
    }

    @Test(arguments: UInt64(0)..<24)
    func `Spent is at most the limit and what running requests used beyond their reservations`(seed: UInt64) throws {
        var dice = Dice(seed)
        let zone = try #require(["UTC", "Europe/Berlin", "Australia/Lord_Howe"].randomElement(using: &dice))
        let calendar = try #require(BudgetCalendar(timeZone: zone))
        var clock = BudgetClock(calendar)
        var state = BudgetState()
        var now: Int64 = 1_790_000_000 + Int64.random(in: 0...10_000_000, using: &dice)
        var hard = limits(&dice)
        var running: [Running] = []
        var models = PerWindow { Model(period: calendar.period(of: $0, containing: now)) }

        func turn() {
            for window in BudgetWindow.allCases where now >= models[window].period.end {
                models[window] = Model(period: calendar.period(of: window, containing: now))
            }
        }

        for step in 0..<800 {
            switch Int.random(in: 0..<20, using: &dice) {
            case 0..<9:
                turn()
                // What it says is its worst case is wrong at times; the price is not known at times.
                let tokens = Int64.random(in: 0...400, using: &dice)
                let cost = Bool.random(using: &dice) ? Int64.random(in: 0...4_000, using: &dice) : nil
                let request = Running(
                    reservation: BudgetReservation(), arrival: now, tokens: .random(in: 0...500, using: &dice),
                    cost: .random(in: 0...5_000, using: &dice))
                let before = hard.map { state.counts[$0.window] }
                let decision = state.reserve(tokens: tokens, cost: cost, hard: hard, at: now, by: &clock)
                let fits = zip(hard, before).allSatisfy { budget, count in
                    let worst = min(budget.isMoney ? cost ?? 0 : tokens, max(budget.limit / 4, 1))
                    let current = count.period.end > now ? count : BudgetState.Count()
                    let account = current.account(of: budget)
                    return account.spent < budget.limit && account.spent + account.reserved + worst <= budget.limit
                }
                switch decision {
                case .refused(let refusal):
                    #expect(!fits, "step \(step)")
                    #expect(hard.contains(refusal.standing.budget))
                case .admitted(let admission):
                    #expect(fits, "step \(step)")
                    running.append(
                        Running(
                            reservation: admission.reservation, arrival: request.arrival, tokens: request.tokens,
                            cost: request.cost))
                    for window in BudgetWindow.allCases {
                        for isMoney in [true, false] {
                            models[window].limit[isMoney] =
                                hard.first {
                                    $0.window == window && $0.isMoney == isMoney
                                }?.limit
                            models[window].excess[isMoney] = running.reduce(0) { sum, request in
                                let part = request.reservation.parts[window]
                                guard part.period == models[window].period.start else { return sum }
                                return sum
                                    + max(0, isMoney ? request.cost - part.cost : request.tokens - part.tokens)
                            }
                        }
                    }
                }
            case 9..<17:
                turn()
                guard let place = running.indices.randomElement(using: &dice) else { break }
                let request = running.remove(at: place)
                for window in BudgetWindow.allCases where request.arrival >= models[window].period.start {
                    models[window].spent[true, default: 0] += request.cost
                    models[window].spent[false, default: 0] += request.tokens
                }
                _ = state.settle(
                    request.reservation, tokens: request.tokens, cost: request.cost, at: now, by: &clock)
            case 17, 18:
                now += Int64.random(
                    in: 0...([10, 1_000, 10_000, 400_000].randomElement(using: &dice) ?? 1), using: &dice)
            default: hard = limits(&dice)
            }
            turn()
            try check(&state, models, running, at: now, by: &clock, "seed \(seed), step \(step)")
        }
        // What runs at the end is given back, and nothing is left of it.
        for request in running {
            _ = state.settle(request.reservation, tokens: 0, cost: 0, at: now, by: &clock)
        }
        for window in BudgetWindow.allCases {
            for budget in [Budget(.tokens(1), per: window), Budget(.money(1), per: window)] {
                #expect(state.standings(of: [budget], at: now, by: &clock).first?.reserved == 0)
            }
        }
    }

    private func check(
        _ state: inout BudgetState, _ models: PerWindow<Model>, _ running: [Running], at now: Int64,
        by clock: inout BudgetClock, _ place: String
    ) throws {
        for window in BudgetWindow.allCases {
            let model = models[window]
            for isMoney in [true, false] {
                let budget = Budget(isMoney ? .money(1) : .tokens(1), per: window)
                let standing = try #require(state.standings(of: [budget], at: now, by: &clock).first)
                #expect(standing.spent == model.spent[isMoney], "\(place) \(budget)")
                let reserved = running.reduce(Int64(0)) { sum, request in
                    let part = request.reservation.parts[window]
                    guard part.period == model.period.start else { return sum }
                    return sum + (isMoney ? part.cost : part.tokens)
                }
                #expect(standing.reserved == reserved && reserved >= 0, "\(place) \(budget)")
                if let limit = model.limit[isMoney], let excess = model.excess[isMoney] {
                    #expect(standing.spent <= limit + excess, "\(place) \(budget)")
                }
            }
        }
    }

    private func limits(_ dice: inout Dice) -> [Budget] {
        BudgetWindow.allCases.flatMap { window -> [Budget] in
            var budgets: [Budget] = []
            if Bool.random(using: &dice) {
                budgets.append(Budget(.tokens(.random(in: 1...20_000, using: &dice)), per: window))
            }
            if Bool.random(using: &dice) {
                budgets.append(Budget(.money(.random(in: 1...200_000, using: &dice)), per: window))
            }
            return budgets
        }
    }
}
