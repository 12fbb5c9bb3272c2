import Testing

@testable import ProxyAccounting

@Suite struct BudgetTextTests {
    @Test(
        arguments: [
            ("5 USD per day", Budget(.money(5_000_000_000), per: .day)),
            ("0.50 USD per hour", Budget(.money(500_000_000), per: .hour)),
            ("90000 tokens per hour", Budget(.tokens(90_000), per: .hour)),
            ("20 USD in all", Budget(.money(20_000_000_000), per: .total)),
            ("20 USD in total", Budget(.money(20_000_000_000), per: .total)),
            ("20 USD total", Budget(.money(20_000_000_000), per: .total)),
            ("$5 per day", Budget(.money(5_000_000_000), per: .day)),
            ("$ 5/day", Budget(.money(5_000_000_000), per: .day)),
            ("5$ daily", Budget(.money(5_000_000_000), per: .day)),
            ("5usd/d", Budget(.money(5_000_000_000), per: .day)),
            ("USD 5 a day", Budget(.money(5_000_000_000), per: .day)),
            ("  5   Dollars  each WEEK ", Budget(.money(5_000_000_000), per: .week)),
            ("1 dollar an hour", Budget(.money(1_000_000_000), per: .hour)),
            ("1.5M tokens per month", Budget(.tokens(1_500_000), per: .month)),
            ("1.5 million tokens monthly", Budget(.tokens(1_500_000), per: .month)),
            ("90k tokens/h", Budget(.tokens(90_000), per: .hour)),
            ("2B tokens weekly", Budget(.tokens(2_000_000_000), per: .week)),
            ("1_000_000 tokens every month", Budget(.tokens(1_000_000), per: .month)),
            ("1 token hourly", Budget(.tokens(1), per: .hour)),
            (".25 USD per day", Budget(.money(250_000_000), per: .day)),
            ("2k USD per month", Budget(.money(2_000_000_000_000), per: .month)),
            ("0.000000001 USD per day", Budget(.money(1), per: .day)),
            ("9223372036.854775807 USD in all", Budget(.money(.max), per: .total)),
            ("5.00 USD per day", Budget(.money(5_000_000_000), per: .day)),
        ])
    func `Budgets as people write them`(text: String, budget: Budget) throws {
        #expect(try BudgetText.budget(text) == budget)
        #expect(try BudgetText.budget(BudgetText.text(budget)) == budget)
    }

    @Test(
        arguments: [
            ("", "expected an amount and a window"), ("   ", "expected an amount and a window"),
            ("per day", "found \"per\""), ("five USD per day", "found \"five\""),
            ("0 USD per day", "must be more than 0"), ("-5 USD per day", "must be more than 0"),
            ("$-5 per day", "must be more than 0"), ("0 tokens per day", "must be more than 0"),
            ("0.0000000001 USD per day", "finer than 0.000000001 USD"),
            ("0.5 tokens per day", "whole numbers"), ("1.2345k tokens per day", "whole numbers"),
            ("9223372036.854775808 USD in all", "too large"), ("9999999999B tokens per day", "too large"),
            ("999999999999999999 USD per day", "too large"),
            ("1000000000000000000000000 USD per day", "found \"1000000000000000000000000\""),
            ("5 per day", "USD or tokens"), ("5 EUR per day", "USD or tokens"), ("90000", "alone is not a budget"),
            ("5 USD", "the window is missing"), ("5 USD per", "expected per hour, per day"),
            ("5 USD per year", "found \"year\""), ("5 USD per m", "found \"m\""), ("5 USD in", "expected per hour"),
            ("5 USD in May", "found \"may\""), ("5 USD day", "found \"day\""),
            ("5 USD per day and more", "\"and more\" is too much"),
            ("5 USD per day; 3 USD per hour", "a comma separates budgets"),
            ("5 USD tokens per day", "write two budgets"), ("1.2.3 USD per day", "found \"1.2.3\""),
            ("5. USD per day", "found \"5.\""), ("5__0 USD per day", "found \"5__0\""),
            ("5 USD per day, 3 USD per hour", "only one budget"),
        ])
    func `What is not understood is told with what is expected`(text: String, problem: String) {
        let failure = #expect(throws: BudgetText.Failure.self) { try BudgetText.budget(text) }
        #expect(failure?.problem.contains(problem) == true, "\(failure?.problem ?? "")")
    }

    @Test func `A list says which of its budgets is faulty`() throws {
        #expect(
            try BudgetText.budgets("5 USD per day, 90k tokens per hour,20 USD in all") == [
                Budget(.money(5_000_000_000), per: .day), Budget(.tokens(90_000), per: .hour),
                Budget(.money(20_000_000_000), per: .total),
            ])
        for (text, position, part) in [
            ("5 USD per day, 3 EUR per hour , 1 USD in all", 2, "3 EUR per hour"), ("5 USD per day,", 2, ""),
            (",5 USD per day", 1, ""), ("90,000 tokens per hour", 1, "90"), ("", 1, ""),
            ("5 USD per day, 7 tokens per day, 6 USD daily", 3, "6 USD daily"),
        ] {
            let failure = #expect(throws: BudgetText.Failure.self) { try BudgetText.budgets(text) }
            #expect(failure?.position == position)
            #expect(failure?.part == part)
        }
        let failure = #expect(throws: BudgetText.Failure.self) { try BudgetText.budgets("90,000 tokens per hour") }
        #expect(failure?.description.contains("write 90000 or 90k") == true)
        let twice = #expect(throws: BudgetText.Failure.self) {
            try BudgetText.budgets("5 USD per day, 7 tokens per day, 6 USD daily")
        }
        #expect(twice?.description.hasPrefix("budget 3 \"6 USD daily\": there is a budget of money per day") == true)
    }

    @Test(
        arguments: [
            (Budget(.money(5_000_000_000), per: .day), "5 USD per day"),
            (Budget(.money(500_000_000), per: .hour), "0.50 USD per hour"),
            (Budget(.money(1), per: .week), "0.000000001 USD per week"),
            (Budget(.money(12_345_600_000), per: .month), "12.3456 USD per month"),
            (Budget(.tokens(1_500_000), per: .total), "1500000 tokens in all"),
        ])
    func `The form that is written`(budget: Budget, text: String) { #expect(BudgetText.text(budget) == text) }

    @Test func `Every budget is read as it was written`() throws {
        var dice = Dice(11)
        for _ in 0..<500 {
            let budgets = BudgetWindow.allCases.shuffled(using: &dice).map { window in
                let amount = Int64.random(in: 1...(.max >> Int64.random(in: 0...62, using: &dice)), using: &dice)
                return Budget(Bool.random(using: &dice) ? .money(amount) : .tokens(amount), per: window)
            }
            #expect(try BudgetText.budgets(BudgetText.text(budgets)) == budgets)
        }
    }

    @Test func `Any text is budgets that can be written, or an error with a place`() throws {
        let pieces = [
            "5", "0.5", "90k", "USD", "$", "tokens", "per", "/", "a", "day", "hour", "in all", "total", "monthly", ",",
            "-",
            "\u{0}", "é", "9999999999999999999999", ".", "5 USD per day", "7 tokens hourly",
        ]
        var dice = Dice(78)
        var read = 0
        for _ in 0..<6_000 {
            let text = (0..<Int.random(in: 1...6, using: &dice))
                .map { _ in pieces.randomElement(using: &dice) ?? "" }.joined(separator: " ")
            do throws(BudgetText.Failure) {
                let budgets = try BudgetText.budgets(text)
                read += 1
                #expect(budgets.allSatisfy { $0.limit > 0 })
                #expect((try? BudgetText.budgets(BudgetText.text(budgets))) == budgets, "\(text)")
            } catch {
                #expect(
                    (1...text.split(separator: ",", omittingEmptySubsequences: false).count).contains(error.position))
                #expect(!error.problem.isEmpty)
            }
        }
        #expect(read > 20)
    }
}
