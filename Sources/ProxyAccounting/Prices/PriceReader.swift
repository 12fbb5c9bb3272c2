/// Reads the words of a price.
struct PriceReader {
    private enum Thing { case tokens, characters, hours }

    private enum Label: String {
        case input = "in"
        case output = "out"
        case cached, written, reasoning
    }

    /// So much for each of so many things.
    private struct Unit {
        var count: Int64
        var thing: Thing?
    }

    private struct Rate {
        let number: DecimalNumber
        let text: String
        var unit: Unit?
        var label: Label?
    }

    private var words: ArraySlice<AmountWord>
    private var thing: Thing?

    init(_ words: [AmountWord]) { self.words = words[...] }

    private static let expected =
        "expected \"3 in 15 out per 1M tokens\", \"0.0018 per 10k characters\", \"24 per hour\" or \"free\""

    private func failure(_ problem: String) -> PriceText.Failure { PriceText.Failure(problem: problem) }

    // MARK: The whole

    mutating func price() throws(PriceText.Failure) -> Price {
        if words.count == 1, words.first == .word("free") { return .free }
        guard !words.isEmpty else { throw failure("the price is empty; \(Self.expected)") }
        let first = try rates()
        var read: [(above: Int64, rates: [Rate])] = []
        while !words.isEmpty {
            guard words.take(word: ["above", "over"]) || words.take(sign: ">") else { throw unexpected() }
            let above = try threshold()
            guard !read.contains(where: { $0.above == above }) else {
                throw failure("there are two prices above \(above) tokens; keep one")
            }
            read.append((above, try rates()))
        }
        var groups = [first] + read.map(\.rates)
        Self.spreadUnits(over: &groups)
        guard groups.allSatisfy({ $0.allSatisfy { $0.unit != nil } }) else {
            throw failure("the unit is missing; say per what, as in \"per 1M tokens\"; \(Self.expected)")
        }
        let base = groups[0]
        let tiers = zip(read, groups.dropFirst()).map { (above: $0.above, rates: $1) }
        switch thing ?? .tokens {
        case .tokens: return .tokens(try tokenPrice(base, tiers))
        case .characters, .hours:
            guard tiers.isEmpty else { throw failure("only a price by tokens can have other rates above a length") }
            return thing == .hours ? try hourPrice(base) : try characterPrice(base)
        }
    }

    /// A unit is also that of the rates before it: `3 in 15 out per 1M tokens`. What stands behind the last one has
    /// that one.
    private static func spreadUnits(over groups: inout [[Rate]]) {
        for group in groups.indices {
            for rate in groups[group].indices.reversed().dropFirst() where groups[group][rate].unit == nil {
                groups[group][rate].unit = groups[group][rate + 1].unit
            }
            for rate in groups[group].indices.dropFirst() where groups[group][rate].unit == nil {
                groups[group][rate].unit = groups[group][rate - 1].unit
            }
        }
        // Within a group either all rates have a unit now, or none has.
        func give(_ unit: Unit?, to group: Int) {
            for rate in groups[group].indices where groups[group][rate].unit == nil { groups[group][rate].unit = unit }
        }
        for group in groups.indices.dropFirst() { give(groups[group - 1].first?.unit, to: group) }
        for group in groups.indices.reversed().dropFirst() { give(groups[group + 1].first?.unit, to: group) }
    }

    private func tokenPrice(
        _ base: [Rate], _ tiers: [(above: Int64, rates: [Rate])]
    ) throws(PriceText.Failure) -> TokenPrice {
        var rates = TokenPrice.Rates(input: 0, output: 0)
        if base.count == 1, base[0].label == nil {
            rates.input = try amount(base[0])
            rates.output = rates.input
        } else {
            let found = try labelled(base)
            guard let input = found.input, let output = found.output else {
                let (missing, label) = found.input == nil ? ("input", "in") : ("output", "out")
                throw failure("the price of \(missing) is missing; say 0 \(label) if it costs nothing")
            }
            rates = TokenPrice.Rates(
                input: input, output: output, cached: found.cached, written: found.written, reasoning: found.reasoning)
        }
        var higher: [TokenPrice.Tier] = []
        for tier in tiers { higher.append(try labelled(tier.rates, above: tier.above)) }
        return TokenPrice(rates, tiers: higher)
    }

    private func characterPrice(_ base: [Rate]) throws(PriceText.Failure) -> Price {
        if base.count == 1, base[0].label == nil {
            let rate = try amount(base[0])
            return .characters(input: rate, output: rate)
        }
        let found = try labelled(base)
        guard found.cached == nil, found.written == nil, found.reasoning == nil else {
            throw failure("a price by characters has only in and out")
        }
        guard let input = found.input, let output = found.output else {
            throw failure("a price by characters needs both in and out, or one amount for both")
        }
        return .characters(input: input, output: output)
    }

    private func hourPrice(_ base: [Rate]) throws(PriceText.Failure) -> Price {
        guard base.count == 1, base[0].label == nil else {
            throw failure("a price by the hour is one amount, as in \"24 per hour\"")
        }
        return .hours(try amount(base[0]))
    }

    private func labelled(_ rates: [Rate], above: Int64 = 0) throws(PriceText.Failure) -> TokenPrice.Tier {
        var tier = TokenPrice.Tier(above: above)
        for rate in rates {
            guard let label = rate.label else {
                throw failure("say what \"\(rate.text)\" is for: in, out, cached, written or reasoning")
            }
            let place: WritableKeyPath<TokenPrice.Tier, PicoDollars?> =
                switch label {
                case .input: \.input
                case .output: \.output
                case .cached: \.cached
                case .written: \.written
                case .reasoning: \.reasoning
                }
            guard tier[keyPath: place] == nil else {
                throw failure("there are two prices \"\(label.rawValue)\"; keep one")
            }
            tier[keyPath: place] = try amount(rate)
        }
        return tier
    }

    private func amount(_ rate: Rate) throws(PriceText.Failure) -> PicoDollars {
        switch rate.number.scaled(power: 12, per: rate.unit?.count ?? 1) {
        case .exact(let amount): return amount
        case .tooLarge: throw failure("\"\(rate.text)\" is too large for a price")
        case .tooFine: throw failure("\"\(rate.text)\" is too fine: the least is 0.000001 USD per 1M")
        }
    }

    // MARK: Rates

    private mutating func rates() throws(PriceText.Failure) -> [Rate] {
        var rates: [Rate] = []
        while true {
            while words.take(sign: ",") || words.take(sign: ";") || words.take(sign: "+") || words.take(word: ["and"]) {
            }
            guard !isAtTier, !words.isEmpty else { break }
            rates.append(try rate())
        }
        guard !rates.isEmpty else { throw failure("the amount is missing; \(Self.expected)") }
        return rates
    }

    private var isAtTier: Bool {
        switch words.first {
        case .word("above"), .word("over"), .sign(">"): true
        default: false
        }
    }

    private mutating func rate() throws(PriceText.Failure) -> Rate {
        _ = words.takeCurrency()
        guard case .number(let number, let text) = words.first else { throw unexpected() }
        words.removeFirst()
        var rate = Rate(number: number, text: text)
        _ = words.takeCurrency()
        while true {
            if rate.label == nil, let label = takeLabel() {
                rate.label = label
            } else if rate.unit == nil, words.take(sign: "/") || words.take(word: ["per", "a", "an", "each"]) {
                rate.unit = try unit(&rate.label)
            } else {
                return rate
            }
        }
    }

    private mutating func unit(_ label: inout Label?) throws(PriceText.Failure) -> Unit {
        var unit = Unit(count: 1)
        var number: DecimalNumber?
        if case .number(let found, _) = words.first {
            number = found
            words.removeFirst()
        }
        var factor: Int64 = 1
        var isScaled = number != nil
        if case .word(let word) = words.first {
            if let found = AmountWord.factor(word) {
                factor = found
                isScaled = true
                words.removeFirst()
            } else if word == "mtok" || word == "ktok" {
                words.removeFirst()
                (factor, isScaled) = (word == "mtok" ? 1_000_000 : 1_000, true)
                unit.thing = .tokens
            }
        }
        if let number {
            guard case .exact(let count) = number.scaled(power: 0, times: factor), count > 0, count <= 1_000_000_000
            else { throw failure("a price is per 1 to 1000M of something") }
            unit.count = count
        } else {
            unit.count = factor
        }
        // `per 1M input tokens`
        if label == nil { label = takeLabel() }
        if unit.thing == nil { unit.thing = takeThing() }
        guard isScaled || unit.thing != nil else { throw unexpected() }
        let found = unit.thing ?? .tokens
        guard thing == nil || thing == found else {
            throw failure("a price is by tokens, by characters or by the hour, not by two of them")
        }
        thing = found
        guard found != .hours || unit.count == 1 else { throw failure("a price by the hour is per one hour") }
        return unit
    }

    private mutating func threshold() throws(PriceText.Failure) -> Int64 {
        guard case .number(let number, _) = words.first else {
            throw failure("say above how many prompt tokens, as in \"above 200k: 6 in 30 out\"")
        }
        words.removeFirst()
        var factor: Int64 = 1
        if case .word(let word) = words.first, let found = AmountWord.factor(word) {
            factor = found
            words.removeFirst()
        }
        guard case .exact(let above) = number.scaled(power: 0, times: factor), above > 0 else {
            throw failure("say above how many prompt tokens, as in \"above 200k: 6 in 30 out\"")
        }
        _ = takeThing()
        _ = words.take(sign: ":")
        return above
    }

    // MARK: Words

    private mutating func takeLabel() -> Label? {
        if words.take(word: ["written"]) { return .written }
        if words.take(word: ["cached", "cache"]) {
            _ = words.take(word: ["input", "in"])
            return .cached
        }
        if words.take(word: ["reasoning", "thinking"]) { return .reasoning }
        if words.take(word: ["in", "input", "prompt"]) { return .input }
        if words.take(word: ["out", "output", "completion"]) { return .output }
        return nil
    }

    private mutating func takeThing() -> Thing? {
        if words.take(word: ["token", "tokens", "tok"]) { return .tokens }
        // Oracle's price list calls a character a transaction.
        if words.take(word: ["character", "characters", "char", "chars", "transaction", "transactions"]) {
            return .characters
        }
        if words.take(word: ["hour", "hours", "h", "hr"]) { return .hours }
        return nil
    }

    private func unexpected() -> PriceText.Failure {
        guard let word = words.first else { return failure("the price ends too early; \(Self.expected)") }
        return failure("\"\(word.text)\" is not understood; \(Self.expected)")
    }
}
