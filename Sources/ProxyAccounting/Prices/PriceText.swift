/// Prices as people write them, in US dollars:
///
/// * by tokens: `3 in 15 out per 1M tokens`, with `0.3 cached`, `3.75 written` (into a cache) and `20 reasoning` where they differ, and `, above 200k:
///   6 in 30 out` for long prompts; `0.72 per 1M tokens` when both ways cost the same; `3/M in, 15/M out`
/// * by characters: `0.0018 per 10k characters`, `0.001 in 0 out per 10k characters`
/// * of a dedicated endpoint: `24 per hour`
/// * `free`
///
/// `$` and `USD` may stand with every amount.
package enum PriceText {
    /// What is wrong with a text, and how it should be.
    package struct Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// For people.
        package let problem: String

        package var description: String { problem }
    }

    package static func price(_ text: String) throws(Failure) -> Price {
        var reader = PriceReader(AmountWord.words(of: text))
        return try reader.price()
    }

    /// As `price` reads it, in the first of its forms.
    package static func text(_ price: Price) -> String {
        switch price {
        case .free: "free"
        case .hours(let rate): "\(DecimalNumber.text(rate, decimals: 12)) per hour"
        case .characters(let input, let output) where input == output: "\(perTenThousand(input)) per 10k characters"
        case .characters(let input, let output):
            "\(perTenThousand(input)) in \(perTenThousand(output)) out per 10k characters"
        case .tokens(let price): text(price)
        }
    }

    private static func text(_ price: TokenPrice) -> String {
        let rates = price.rates
        let base = parts(
            input: rates.input, cached: rates.cached, written: rates.written, output: rates.output,
            reasoning: rates.reasoning)
        let tiers = price.tiers.map { tier in
            ", above \(count(tier.above)): "
                + parts(
                    input: tier.input, cached: tier.cached, written: tier.written, output: tier.output,
                    reasoning: tier.reasoning)
        }
        return base + " per 1M tokens" + tiers.joined()
    }

    private static func parts(
        input: PicoDollars?, cached: PicoDollars?, written: PicoDollars?, output: PicoDollars?,
        reasoning: PicoDollars?
    ) -> String {
        [(input, "in"), (cached, "cached"), (written, "written"), (output, "out"), (reasoning, "reasoning")]
            .compactMap { rate, label in rate.map { "\(perMillion($0)) \(label)" } }
            .joined(separator: " ")
    }

    private static func perMillion(_ rate: PicoDollars) -> String { DecimalNumber.text(rate, decimals: 6) }
    private static func perTenThousand(_ rate: PicoDollars) -> String { DecimalNumber.text(rate, decimals: 8) }

    private static func count(_ tokens: Int64) -> String {
        if tokens > 0, tokens % 1_000_000 == 0 { return "\(tokens / 1_000_000)M" }
        return tokens > 0 && tokens % 1_000 == 0 ? "\(tokens / 1_000)k" : "\(tokens)"
    }
}
