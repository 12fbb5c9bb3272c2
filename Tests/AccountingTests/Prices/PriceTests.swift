import Testing

@testable import ProxyAccounting

@Suite struct PriceTests {
    private func usage(
        _ prompt: Int64?, _ completion: Int64?, cached: Int64? = nil, reasoning: Int64? = nil,
        characters: (Int64?, Int64?) = (nil, nil)
    ) -> LedgerUsage {
        var usage = LedgerUsage()
        usage.prompt = prompt
        usage.completion = completion
        usage.cached = cached
        usage.reasoning = reasoning
        (usage.charactersIn, usage.charactersOut) = characters
        return usage
    }

    private func price(_ text: String) throws -> Price { try PriceText.price(text) }

    @Test(
        arguments: [
            // 1,000 x 3,000 + 500 x 15,000 nano-dollars.
            ("3 in 15 out per 1M tokens", 1_000, 500, nil, nil, 10_500_000),
            ("3 in 15 out per 1M tokens", 0, 0, nil, nil, 0),
            // 600 x 3,000 + 400 x 300 + 300 x 15,000 + 200 x 20,000.
            ("3 in 0.3 cached 15 out 20 reasoning per 1M tokens", 1_000, 500, 400, 200, 10_420_000),
            // No price of their own: as input and output.
            ("3 in 15 out per 1M tokens", 1_000, 500, 400, 200, 10_500_000),
            // More cached than prompt, more reasoning than completion.
            ("3 in 0.3 cached 15 out 20 reasoning per 1M tokens", 1_000, 500, 5_000, 900, 10_300_000),
            ("3 in 0.3 cached 15 out per 1M tokens", 1_000, 500, -7, -7, 10_500_000),
            ("3 in 15 out per 1M tokens", -1_000, -500, 5, 5, 0),
            // Half up: 0.72, 0.5, 0.499 nano-dollars.
            ("0.00072 in 0 out per 1M tokens", 1, 0, nil, nil, 1),
            ("0.0005 in 0 out per 1M tokens", 1, 0, nil, nil, 1),
            ("0.000499 in 0 out per 1M tokens", 1, 0, nil, nil, 0),
            ("0.0005 in 0.0005 out per 1M tokens", 1, 1, nil, nil, 1),
            ("0.0005 in 0.0005 out per 1M tokens", 2, 1, nil, nil, 2),
            // Prompts above 200,000, whose every token costs more.
            ("3 in 15 out per 1M tokens, above 200k: 6 in 30 out", 200_000, 100, nil, nil, 601_500_000),
            ("3 in 15 out per 1M tokens, above 200k: 6 in 30 out", 200_001, 100, nil, nil, 1_203_006_000),
            // Cached at 0.2 as below, and reasoning as the new output: 100,001 x 2.5 + 100,000 x 0.2 + 100 x 5.
            (
                "1.25 in 0.2 cached 2.5 out per 1M tokens, above 200k: 2.5 in 5 out", 200_001, 100, 100_000, 50,
                270_502_500
            ),
            ("1 in 1 out per 1M tokens, above 200k: 2 in, above 300k: 3 in", 300_000, 0, nil, nil, 600_000_000),
            ("1 in 1 out per 1M tokens, above 300k: 3 in, above 200k: 2 in", 300_001, 10, nil, nil, 900_013_000),
            ("free", nil, nil, nil, nil, 0), ("24 per hour", 1_000, nil, nil, nil, 0),
        ] as [(String, Int64?, Int64?, Int64?, Int64?, Int64)])
    func `Costs by tokens, worked out by hand`(
        text: String, prompt: Int64?, completion: Int64?, cached: Int64?, reasoning: Int64?, cost: Int64
    ) throws {
        #expect(
            try price(text).cost(of: usage(prompt, completion, cached: cached, reasoning: reasoning)) == cost)
    }

    @Test(
        arguments: [
            (
                "3 in 0.3 cached 3.75 written 15 out per 1M tokens", 1_000, 400, 500,
                100 * 3_000 + 400 * 300 + 500 * 3_750
            ),
            ("3 in 0.3 cached 15 out per 1M tokens", 1_000, 400, 500, 600 * 3_000 + 400 * 300),
            ("3 in 3.75 written 15 out per 1M tokens", 1_000, 0, 9_000, 1_000 * 3_750),
            (
                "3 in 3.75 written 15 out per 1M tokens, above 500: 6 in 7.5 written 30 out", 1_000, 0, 200,
                800 * 6_000 + 200 * 7_500
            ),
            ("3 in 15 out per 1M tokens", 1_000, 0, -5, 1_000 * 3_000),
        ] as [(String, Int64, Int64, Int64, Int64)])
    func `What is put into a cache has a price of its own, or costs as input`(
        text: String, prompt: Int64, cached: Int64, written: Int64, cost: Int64
    ) throws {
        var usage = usage(prompt, 0, cached: cached)
        usage.cacheWrites = written
        #expect(try price(text).cost(of: usage) == cost)
    }

    @Test func `A reservation thinks of the dearest kind of prompt`() throws {
        #expect(
            try price("3 in 0.3 cached 3.75 written 15 out per 1M tokens").worstCase(prompt: 1_000, completion: 0)
                == 3_750_000)
        #expect(
            LiteLLMPrice.price([
                "input_cost_per_token": 3e-6, "output_cost_per_token": 15e-6, "cache_read_input_token_cost": 3e-7,
                "cache_creation_input_token_cost": 3.75e-6, "cache_creation_input_token_cost_above_200k_tokens": 7.5e-6,
            ])
                == (try price("3 in 0.3 cached 3.75 written 15 out per 1M tokens, above 200k: 7.5 written")))
    }

    @Test func `Costs by characters`() throws {
        // (220 + 2,205) x 180 nano-dollars.
        let llama = try price("0.0018 per 10k characters")
        #expect(llama.cost(of: usage(nil, nil, characters: (220, 2_205))) == 436_500)
        #expect(llama.cost(of: usage(100, 100, characters: (0, 0))) == 0)
        for unknown in [(nil, nil), (220, nil), (nil, 2_205)] as [(Int64?, Int64?)] {
            #expect(llama.cost(of: usage(1_000, 1_000, characters: unknown)) == nil)
        }
        // What costs nothing need not be counted.
        #expect(
            try price("0.001 in 0 out per 10k characters").cost(of: usage(nil, nil, characters: (10_000, nil)))
                == 1_000_000)
    }

    @Test func `A count that is charged for and not known makes the cost unknown`() throws {
        let both = try price("3 in 15 out per 1M tokens")
        #expect(both.cost(of: usage(nil, 5)) == nil)
        #expect(both.cost(of: usage(5, nil)) == nil)
        #expect(both.cost(of: LedgerUsage()) == nil)
        let embedding = try price("0.1 in 0 out per 1M tokens")
        #expect(embedding.cost(of: usage(1_000, nil)) == 100_000)
        #expect(embedding.cost(of: usage(nil, 5)) == nil)
        #expect(try price("0 in 2 out per 1M tokens").cost(of: usage(nil, 5)) == 10_000)
        #expect(try price("0 in 2 cached 0 out per 1M tokens").cost(of: usage(nil, nil)) == nil)
        #expect(try price("0 in 0 out 2 reasoning per 1M tokens").cost(of: usage(1, nil)) == nil)
        // An unknown prompt may be a long one.
        #expect(try price("0 in 2 out per 1M tokens, above 200k: 5 in").cost(of: usage(nil, 5)) == nil)
        #expect(try price("0 in 2 out per 1M tokens, above 200k: 5 out").cost(of: usage(nil, 5)) == nil)
    }

    @Test func `Counts that cannot be are no cost, and no crash`() throws {
        let price = try price("9000000 in 9000000 out per token")
        #expect(price.cost(of: usage(.max, .max, cached: .max, reasoning: .max)) == nil)
        #expect(price.cost(of: usage(.min, .min, cached: .min, reasoning: .min)) == 0)
        #expect(try self.price("9000000 per character").cost(of: usage(nil, nil, characters: (.max, .max))) == nil)
        #expect(price.worstCase(prompt: .max, completion: .max) == nil)
        #expect(try self.price("9000000 per character").worstCase(prompt: .max, completion: .max) == nil)
    }

    @Test func `A worst case is never less than the cost`() throws {
        var dice = Dice(31)
        for _ in 0..<500 {
            func rate() -> PicoDollars { .random(in: 0...20_000_000, using: &dice) }
            func perhaps() -> PicoDollars? { Bool.random(using: &dice) ? rate() : nil }
            let price = Price.tokens(
                TokenPrice(
                    TokenPrice.Rates(input: rate(), output: rate(), cached: perhaps(), reasoning: perhaps()),
                    tiers: [
                        TokenPrice.Tier(input: perhaps(), output: perhaps(), cached: perhaps(), reasoning: perhaps())
                    ]))
            let prompt = Int64.random(in: 0...400_000, using: &dice)
            let completion = Int64.random(in: 0...100_000, using: &dice)
            let used = usage(
                prompt, .random(in: 0...completion, using: &dice), cached: .random(in: 0...500_000, using: &dice),
                reasoning: .random(in: 0...200_000, using: &dice))
            let cost = try #require(price.cost(of: used))
            #expect(cost >= 0 && cost <= price.worstCase(prompt: prompt, completion: completion) ?? .max)
        }
        let llama = try price("0.0018 per 10k characters")
        #expect(llama.worstCase(prompt: 100, completion: 50, charactersIn: 300) == 90_000)
        #expect(llama.worstCase(prompt: 100, completion: 50) == 108_000)
        #expect(try price("24 per hour").worstCase(prompt: 100, completion: 50) == 0)
        #expect(Price.free.worstCase(prompt: .max, completion: .max) == 0)
    }
}
