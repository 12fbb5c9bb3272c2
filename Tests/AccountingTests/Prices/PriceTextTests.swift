import Testing

@testable import ProxyAccounting

@Suite struct PriceTextTests {
    private static func tokens(
        _ input: PicoDollars, _ output: PicoDollars, cached: PicoDollars? = nil, reasoning: PicoDollars? = nil,
        _ tiers: [TokenPrice.Tier] = []
    ) -> Price {
        .tokens(
            TokenPrice(
                TokenPrice.Rates(input: input, output: output, cached: cached, reasoning: reasoning), tiers: tiers))
    }

    private static let plain = tokens(3_000_000, 15_000_000)
    private static let plainText = "3 in 15 out per 1M tokens"

    @Test(
        arguments: [
            ("3 in 15 out per 1M tokens", plain, plainText),
            ("3/M in, 15/M out", plain, plainText), ("$3/M in, $15/M out", plain, plainText),
            ("3 USD in 15 USD out per 1M tokens", plain, plainText), ("USD 3 in, USD 15 out / 1M", plain, plainText),
            ("3 in, 15 out per million tokens", plain, plainText), ("3 in and 15 out per 1m", plain, plainText),
            ("$3 per 1M input tokens, $15 per 1M output tokens", plain, plainText),
            ("3 per 1M tokens in, 15 per 1M tokens out", plain, plainText),
            ("15 out 3 in per 1M tokens", plain, plainText), ("3/mtok in + 15/mtok out", plain, plainText),
            ("0.003 in 0.015 out per 1k tokens", plain, plainText), ("0.003/k in, 15/M out", plain, plainText),
            ("0.000003 in 0.000015 out per token", plain, plainText),
            ("3 in per 1M tokens, 15 out", plain, plainText), ("3/M in, 15 out", plain, plainText),
            (
                "3 in 15 out per 1M tokens, 0.02 reasoning per 1k tokens",
                tokens(3_000_000, 15_000_000, reasoning: 20_000_000),
                "3 in 15 out 20 reasoning per 1M tokens"
            ),
            (
                "3 in 15 out per 1M tokens, above 200k: 0.006 in 0.03 out per 1k tokens",
                tokens(3_000_000, 15_000_000, [.init(input: 6_000_000, output: 30_000_000)]),
                "3 in 15 out per 1M tokens, above 200k: 6 in 30 out"
            ),
            ("3 prompt 15 completion per 1000000 tokens", plain, plainText),
            ("  3   IN\t15 Out PER 1M Tokens ", plain, plainText),
            (
                "3 in 0.3 cached 15 out 20 reasoning per 1M tokens",
                tokens(3_000_000, 15_000_000, cached: 300_000, reasoning: 20_000_000),
                "3 in 0.3 cached 15 out 20 reasoning per 1M tokens"
            ),
            (
                "3 in, 15 out, 0.3 cached input, 20 thinking per 1M tokens",
                tokens(3_000_000, 15_000_000, cached: 300_000, reasoning: 20_000_000),
                "3 in 0.3 cached 15 out 20 reasoning per 1M tokens"
            ),
            ("0.72 per 1M tokens", tokens(720_000, 720_000), "0.72 in 0.72 out per 1M tokens"),
            ("$0.72/M", tokens(720_000, 720_000), "0.72 in 0.72 out per 1M tokens"),
            ("0.1 in 0 out per 1M tokens", tokens(100_000, 0), "0.1 in 0 out per 1M tokens"),
            ("0.000001 in 0 out per 1M tokens", tokens(1, 0), "0.000001 in 0 out per 1M tokens"),
            (
                "3 in 15 out per 1M tokens, above 200k: 6 in 30 out",
                tokens(3_000_000, 15_000_000, [.init(input: 6_000_000, output: 30_000_000)]),
                "3 in 15 out per 1M tokens, above 200k: 6 in 30 out"
            ),
            (
                "1.25/M in, 0.2/M cached, 2.5/M out; over 200,000".replacing(",000", with: "000")
                    + " tokens 2.5 in 0.4 cached 5 out 6 reasoning per 1M tokens; > 1M: 7 in",
                tokens(
                    1_250_000, 2_500_000, cached: 200_000,
                    [
                        .init(input: 2_500_000, output: 5_000_000, cached: 400_000, reasoning: 6_000_000),
                        .init(above: 1_000_000, input: 7_000_000),
                    ]),
                "1.25 in 0.2 cached 2.5 out per 1M tokens, above 200k: 2.5 in 0.4 cached 5 out 6 reasoning, above 1M: 7 in"
            ),
            (
                "3 in 15 out above 1234: 6 in per 1M tokens",
                tokens(3_000_000, 15_000_000, [.init(above: 1_234, input: 6_000_000)]),
                "3 in 15 out per 1M tokens, above 1234: 6 in"
            ),
            ("0.0018 per 10k characters", .characters(input: 180_000, output: 180_000), "0.0018 per 10k characters"),
            ("0.0018/10k chars", .characters(input: 180_000, output: 180_000), "0.0018 per 10k characters"),
            (
                "$0.0018 per 10_000 transactions", .characters(input: 180_000, output: 180_000),
                "0.0018 per 10k characters"
            ),
            ("0.18 per 1M char", .characters(input: 180_000, output: 180_000), "0.0018 per 10k characters"),
            (
                "0.001 in 0 out per 10k characters", .characters(input: 100_000, output: 0),
                "0.001 in 0 out per 10k characters"
            ),
            ("24 per hour", .hours(24_000_000_000_000), "24 per hour"),
            ("24/h", .hours(24_000_000_000_000), "24 per hour"),
            ("$6.50 an hour", .hours(6_500_000_000_000), "6.5 per hour"),
            ("6.5 USD/hr", .hours(6_500_000_000_000), "6.5 per hour"),
            ("free", .free, "free"), (" Free ", .free, "free"),
        ] as [(String, Price, String)])
    func `Prices as people write them`(text: String, price: Price, canonical: String) throws {
        #expect(try PriceText.price(text) == price)
        #expect(PriceText.text(price) == canonical)
        #expect(try PriceText.price(canonical) == price)
    }

    @Test(
        arguments: [
            ("", "is empty"), ("  ", "is empty"), ("three in", "\"three\" is not understood"),
            ("free beer", "\"free\" is not"),
            ("3 in 15 out", "the unit is missing"), ("3", "the unit is missing"), ("3 in 15 out per", "ends too early"),
            ("3 in 15 out per day", "\"day\" is not understood"),
            ("3 in per 1M tokens", "price of output is missing; say 0 out"),
            ("15 out per 1M tokens", "price of input is missing"), ("3 15 per 1M tokens", "what \"3\" is for"),
            ("3 in 4 in 15 out per 1M tokens", "two prices \"in\""), ("3 EUR in", "\"eur\" is not understood"),
            ("-3 in 15 out per 1M tokens", "\"-\" is not understood"), ("3e-6 in per token", "\"e\" is not understood"),
            ("3.0.0 in 15 out per 1M tokens", "\"3.0.0\" is not understood"),
            ("0.0000001 in 1 out per 1M tokens", "too fine"), ("9300000000 in 1 out per token", "too large"),
            ("3 in 15 out per 0 tokens", "per 1 to 1000M"), ("3 in 15 out per 2B tokens", "per 1 to 1000M"),
            ("3 in 15 out per 1.5 tokens", "per 1 to 1000M"),
            ("3/M tokens in, 15/10k chars out", "not by two of them"),
            ("3 in 1 out per 10k chars, above 200k: 6 in", "only a price by tokens"),
            ("3 cached 3 in 1 out per 10k chars", "only in and out"), ("3 in per 10k chars", "both in and out"),
            ("3 in 4 out per hour", "by the hour is one amount"), ("24 per 2 hours", "per one hour"),
            ("3 in 15 out per 1M tokens above", "above how many"),
            ("3 in 15 out per 1M tokens above 0: 1 in", "above how many"),
            ("3 in 15 out per 1M tokens above 200k:", "amount is missing"),
            ("3 in 15 out per 1M tokens above 200k: 5", "what \"5\" is for"),
            ("3 in 15 out per 1M tokens above 200k: 5 in above 200000: 6 in", "two prices above 200000"),
            ("3 in 15 out per 1M tokens per day", "\"per\" is not understood"),
            ("above 200k: 3 in 15 out per 1M tokens", "amount is missing"),
        ])
    func `What is not understood is told`(text: String, problem: String) {
        let failure = #expect(throws: PriceText.Failure.self) { try PriceText.price(text) }
        #expect(failure?.problem.contains(problem) == true, "\(failure?.problem ?? "")")
    }

    @Test func `Every price is read as it was written`() throws {
        var dice = Dice(21)
        for _ in 0..<1_000 {
            func rate() -> PicoDollars {
                .random(in: 0...(.max >> Int64.random(in: 0...62, using: &dice)), using: &dice)
            }
            func perhaps() -> PicoDollars? { Bool.random(using: &dice) ? rate() : nil }
            let price: Price
            switch Int.random(in: 0..<4, using: &dice) {
            case 0: price = .hours(rate())
            case 1: price = .characters(input: rate(), output: rate())
            default:
                let tiers = Set(
                    (0..<Int.random(in: 0...2, using: &dice)).map { _ in Int64.random(in: 1...500, using: &dice) * 1_000
                    })
                price = Self.tokens(
                    rate(), rate(), cached: perhaps(), reasoning: perhaps(),
                    tiers.map {
                        TokenPrice.Tier(
                            above: $0, input: rate(), output: perhaps(), cached: perhaps(), reasoning: perhaps())
                    })
            }
            #expect(try PriceText.price(PriceText.text(price)) == price, "\(PriceText.text(price))")
        }
    }

    @Test func `Any text is a price that can be written, or an error`() throws {
        let pieces = [
            "3", "0.5", "15", "1M", "10k", "in", "out", "cached", "reasoning", "per", "/", "tokens", "chars", "hour",
            "above", "200k", ":", ",", "$", "USD", "free", ">", "and", "\u{0}", "é", "9999999999999999999999", "-", "_",
            ".",
        ]
        var dice = Dice(77)
        var prices = 0
        for _ in 0..<6_000 {
            let text = (0..<Int.random(in: 1...9, using: &dice))
                .map { _ in pieces.randomElement(using: &dice) ?? "" }.joined(separator: " ")
            do throws(PriceText.Failure) {
                let price = try PriceText.price(text)
                prices += 1
                #expect((try? PriceText.price(PriceText.text(price))) == price, "\(text)")
            } catch { #expect(!error.problem.isEmpty) }
        }
        #expect(prices > 20)
    }
}
