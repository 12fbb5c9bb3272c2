/// Budgets as people write them: `5 USD per day`, `90000 tokens per hour`, `20 USD in all`; several with commas
/// between.
///
/// Read are also `$5/day`, `0.50 USD hourly`, `1.5M tokens a month`, `USD 20 in total`. Money is in US dollars. `k` and
/// `M` stand for thousands and millions of tokens. Written is always the first form.
package enum BudgetText {
    /// What is wrong with a text, and how it should be.
    package struct Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// Of the faulty budget in its list, from 1.
        package let position: Int
        /// The budget as it was written, without spaces around it.
        package let part: String
        /// For people: what is wrong, and what is expected.
        package let problem: String

        package var description: String {
            part.isEmpty ? "budget \(position): \(problem)" : "budget \(position) \"\(part)\": \(problem)"
        }
    }

    // MARK: Reading

    /// One budget.
    package static func budget(_ text: String) throws(Failure) -> Budget {
        guard !text.contains(",") else {
            throw Failure(position: 1, part: trimmed(text), problem: "only one budget is expected here")
        }
        return try budget(text[...], position: 1)
    }

    /// One budget or several, with commas between. There may be one of money and one of tokens for each window.
    package static func budgets(_ text: String) throws(Failure) -> [Budget] {
        var budgets: [Budget] = []
        for (index, part) in text.split(separator: ",", omittingEmptySubsequences: false).enumerated() {
            let budget = try budget(part, position: index + 1)
            if budgets.contains(where: { $0.window == budget.window && $0.isMoney == budget.isMoney }) {
                throw Failure(
                    position: index + 1, part: trimmed(part),
                    problem:
                        "there is a budget of \(budget.isMoney ? "money" : "tokens") \(words(budget.window)) already; "
                        + "keep one of them")
            }
            budgets.append(budget)
        }
        return budgets
    }

    private static let expected =
        "expected an amount and a window, as in \"5 USD per day\", \"90000 tokens per hour\" or \"20 USD in all\""

    private static func budget(_ part: Substring, position: Int) throws(Failure) -> Budget {
        do throws(Problem) {
            var reader = Reader(AmountWord.words(of: part))
            let amount = try reader.amount()
            return Budget(amount, per: try reader.window())
        } catch { throw Failure(position: position, part: trimmed(part), problem: error.text) }
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        var text = Substring(text)
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }

    private struct Problem: Error { let text: String }

    private struct Reader {
        private var words: ArraySlice<AmountWord>

        init(_ words: [AmountWord]) { self.words = words[...] }

        mutating func amount() throws(Problem) -> Budget.Amount {
            guard !words.isEmpty else { throw Problem(text: expected) }
            var isMoney = words.takeCurrency()
            if words.first == .sign("-") { throw Problem(text: "the amount must be more than 0") }
            guard case .number(let number, let text) = words.first else {
                throw Problem(text: "\(expected)\(found)")
            }
            words.removeFirst()
            var factor: Int64 = 1
            if case .word(let word) = words.first, let scale = AmountWord.factor(word) {
                factor = scale
                words.removeFirst()
            }
            if words.takeCurrency() { isMoney = true }
            if words.take(word: ["tokens", "token"]) {
                guard !isMoney else { throw Problem(text: "it is an amount of money and of tokens; write two budgets") }
                return .tokens(
                    try positive(
                        number.scaled(power: 0, times: factor), text, tooFine: "tokens are counted in whole numbers"))
            }
            guard isMoney else {
                throw Problem(
                    text: words.isEmpty
                        ? "\"\(text)\" alone is not a budget; \(expected). A comma begins another budget: write 90000 or "
                            + "90k for ninety thousand"
                        : "say whether \"\(text)\" is USD or tokens; \(expected)")
            }
            return .money(
                try positive(
                    number.scaled(power: 9, times: factor), text, tooFine: "\"\(text)\" is finer than 0.000000001 USD"))
        }

        private func positive(_ scaled: DecimalNumber.Scaled, _ text: String, tooFine: String) throws(Problem) -> Int64
        {
            switch scaled {
            case .exact(0): throw Problem(text: "the amount must be more than 0")
            case .exact(let value): return value
            case .tooLarge: throw Problem(text: "\"\(text)\" is too large")
            case .tooFine: throw Problem(text: tooFine)
            }
        }

        mutating func window() throws(Problem) -> BudgetWindow {
            guard !words.isEmpty else { throw Problem(text: "the window is missing; \(expectedWindow)") }
            let named = words.take(sign: "/") || words.take(word: ["per", "a", "an", "each", "every"])
            var window: BudgetWindow?
            if named {
                window = noun()
            } else if words.take(word: ["in"]) {
                if words.take(word: ["all", "total"]) { window = .total }
            } else if words.take(word: ["total", "altogether"]) {
                window = .total
            } else {
                for (names, meaning) in BudgetText.adverbs where words.take(word: names) { window = meaning }
            }
            guard let window else { throw Problem(text: "\(expectedWindow)\(found)") }
            guard words.isEmpty else {
                throw Problem(text: "\"\(rest)\" is too much behind the window; a comma separates budgets")
            }
            return window
        }

        private mutating func noun() -> BudgetWindow? {
            for (names, meaning) in BudgetText.nouns where words.take(word: names) { return meaning }
            return nil
        }

        private var rest: String { words.map(\.text).joined(separator: " ") }
        private var found: String { words.first.map { "; found \"\($0.text)\"" } ?? "" }
    }

    private static let expectedWindow = "expected per hour, per day, per week, per month or in all"
    private static let nouns: [(Set<String>, BudgetWindow)] = [
        (["hour", "h", "hr"], .hour), (["day", "d"], .day), (["week", "w"], .week), (["month", "mo"], .month),
    ]
    private static let adverbs: [(Set<String>, BudgetWindow)] = [
        (["hourly"], .hour), (["daily"], .day), (["weekly"], .week), (["monthly"], .month),
    ]

    // MARK: Writing

    /// As `budget` reads it.
    package static func text(_ budget: Budget) -> String {
        switch budget.amount {
        case .money(let amount): "\(dollars(amount)) USD \(words(budget.window))"
        case .tokens(let amount): "\(amount) tokens \(words(budget.window))"
        }
    }

    /// As `budgets` reads it.
    package static func text(_ budgets: [Budget]) -> String { budgets.map { text($0) }.joined(separator: ", ") }

    /// An amount of money in dollars, exactly: `5`, `0.50`, `0.0105`.
    ///
    /// - Parameter amount: 0 or more.
    package static func dollars(_ amount: NanoDollars) -> String { DecimalNumber.text(amount, decimals: 9, least: 2) }

    private static func words(_ window: BudgetWindow) -> String {
        window == .total ? "in all" : "per \(window.rawValue)"
    }
}

extension Budget {
    /// Of money, else of tokens.
    package var isMoney: Bool { if case .money = amount { true } else { false } }

    /// Nano-dollars or tokens.
    package var limit: Int64 {
        switch amount {
        case .money(let limit), .tokens(let limit): limit
        }
    }
}
