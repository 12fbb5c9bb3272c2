/// Prices in the shape of LiteLLM's `model_prices_and_context_window.json`.
package enum LiteLLMPrice {
    /// The price that the rates of one model's entry say; nil when they say none, or one of them is none (`fault`).
    ///
    /// Rates by tokens go before rates by characters. A rate that is missing is 0 where another one is not: entries of
    /// embeddings have no output. Models of pictures and of speech have no rate for their texts, but one for what they
    /// make: it stands in. Entries with nothing but zeros are no price: LiteLLM writes 0 also for what it does not know.
    ///
    /// - Parameter numbers: in US dollars, by their names: `input_cost_per_token`, `output_cost_per_token`,
    ///   `cache_read_input_token_cost`, `cache_creation_input_token_cost`, `output_cost_per_reasoning_token`, those with `_above_200k_tokens` (or another
    ///   length) behind them, `input_cost_per_image_token`, `output_cost_per_image_token`, `input_cost_per_audio_token`,
    ///   `output_cost_per_audio_token`, `input_cost_per_character`, `output_cost_per_character`. Others are not looked at.
    package static func price(_ numbers: [String: Double]) -> Price? {
        var rates: [String: PicoDollars] = [:]
        for (name, dollars) in numbers where isRate(name) {
            guard let rate = picoDollars(dollars) else { return nil }
            rates[name] = rate
        }
        if let price = tokens(rates) { return .tokens(price) }
        let input = rates[inputCharacters] ?? 0
        let output = rates[outputCharacters] ?? 0
        return max(input, output) > 0 ? .characters(input: input, output: output) : nil
    }

    /// Whether a member of an entry is one that a price is read of.
    package static func isRate(_ name: String) -> Bool {
        name.contains("_cost") && (plain.contains(name) || length(in: name) != nil)
    }

    /// Why a number is no rate.
    package enum Fault: Hashable, Sendable {
        case negative
        /// Or no number at all.
        case tooLarge
        /// It is not 0, and less than a pico-dollar.
        case tooSmall
    }

    /// - Parameter dollars: for one token or character.
    /// - Returns: nil when it is a rate.
    package static func fault(of dollars: Double) -> Fault? {
        if dollars < 0 { return .negative }
        guard let rate = picoDollars(dollars) else { return .tooLarge }
        return rate == 0 && dollars > 0 ? .tooSmall : nil
    }

    private static let input = "input_cost_per_token"
    private static let output = "output_cost_per_token"
    private static let cached = "cache_read_input_token_cost"
    private static let written = "cache_creation_input_token_cost"
    private static let reasoning = "output_cost_per_reasoning_token"
    private static let inputCharacters = "input_cost_per_character"
    private static let outputCharacters = "output_cost_per_character"
    /// What stands in for a rate by tokens of text.
    private static let otherInputs = ["input_cost_per_image_token", "input_cost_per_audio_token"]
    private static let otherOutputs = ["output_cost_per_image_token", "output_cost_per_audio_token"]
    private static let plain = Set(
        [input, output, cached, written, reasoning, inputCharacters, outputCharacters] + otherInputs + otherOutputs)

    private static func tokens(_ rates: [String: PicoDollars]) -> TokenPrice? {
        func rate(_ name: String, else others: [String]) -> PicoDollars {
            rates[name] ?? others.lazy.compactMap { rates[$0] }.first ?? 0
        }
        let base = TokenPrice.Rates(
            input: rate(input, else: otherInputs), output: rate(output, else: otherOutputs), cached: rates[cached],
            written: rates[written], reasoning: rates[reasoning])
        guard max(base.input, base.output) > 0 else { return nil }
        let lengths = Set(rates.keys.compactMap { length(in: $0) })
        return TokenPrice(
            base,
            tiers: lengths.compactMap { length in
                let end = "_above_\(length)k_tokens"
                let tier = TokenPrice.Tier(
                    above: length * 1_000, input: rates[input + end], output: rates[output + end],
                    cached: rates[cached + end], written: rates[written + end], reasoning: rates[reasoning + end])
                return tier == TokenPrice.Tier(above: length * 1_000) ? nil : tier
            })
    }

    /// 200 of `input_cost_per_token_above_200k_tokens`.
    private static func length(in name: String) -> Int64? {
        for rate in [input, output, cached, written, reasoning] {
            let beginning = rate + "_above_"
            guard name.hasPrefix(beginning), name.hasSuffix("k_tokens") else { continue }
            guard let length = Int64(name.dropFirst(beginning.count).dropLast("k_tokens".count)) else { continue }
            return (1...1_000_000).contains(length) ? length : nil
        }
        return nil
    }

    /// Doubles are exact enough: a rate has a few digits, and is rounded to whole pico-dollars.
    private static func picoDollars(_ dollars: Double) -> PicoDollars? {
        guard dollars.isFinite, dollars >= 0 else { return nil }
        return PicoDollars(exactly: (dollars * 1e12).rounded())
    }
}
