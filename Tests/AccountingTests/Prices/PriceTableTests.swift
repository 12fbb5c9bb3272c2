import Testing

@testable import ProxyAccounting

@Suite struct PriceTableTests {
    private func entry(_ name: String, _ origin: PriceTable.Origin, _ price: String) throws -> PriceTable.Entry {
        PriceTable.Entry(
            name: name, price: try PriceText.price(price), origin: origin, source: "test", date: "2026-01-01")
    }

    private func found(_ table: PriceTable, asked: String?, _ id: String, by provider: String? = nil) -> String? {
        table.price(asked: asked, id: id, provider: provider).map { "\($0.origin.rawValue) \($0.name)" }
    }

    @Test func `The configuration goes before the file, and the file before what is built in`() throws {
        var entries = [try entry("xai.grok-4", .builtIn, "1/h")]
        #expect(found(PriceTable(entries), asked: nil, "xai.grok-4") == "built-in xai.grok-4")
        entries.append(try entry("oci/xai.grok-4", .file, "2/h"))
        #expect(found(PriceTable(entries), asked: nil, "xai.grok-4") == "file oci/xai.grok-4")
        entries.append(try entry("xai.grok-4", .configuration, "3/h"))
        #expect(found(PriceTable(entries), asked: nil, "xai.grok-4") == "configuration xai.grok-4")
        #expect(found(PriceTable(entries.reversed()), asked: nil, "xai.grok-4") == "configuration xai.grok-4")
    }

    @Test func `The most exact name wins`() throws {
        let table = PriceTable([
            try entry("fast", .configuration, "1/h"), try entry("azure/gpt-4o", .configuration, "2/h"),
            try entry("gpt-4o", .configuration, "3/h"), try entry("oci/xai.grok-4", .configuration, "4/h"),
            try entry("xai.grok-4", .configuration, "5/h"), try entry("fast", .file, "6/h"),
        ])
        #expect(found(table, asked: "fast", "gpt-4o", by: "azure") == "configuration fast")
        #expect(found(table, asked: "other", "gpt-4o", by: "azure") == "configuration azure/gpt-4o")
        #expect(found(table, asked: "other", "gpt-4o", by: "openai") == "configuration gpt-4o")
        // Who asks for the id by its own name has said nothing more exact than the provider's price.
        #expect(found(table, asked: "gpt-4o", "gpt-4o", by: "azure") == "configuration azure/gpt-4o")
        #expect(found(table, asked: "azure/gpt-4o", "gpt-4o", by: "azure") == "configuration azure/gpt-4o")
        #expect(found(table, asked: nil, "xai.grok-4") == "configuration oci/xai.grok-4")
        #expect(found(table, asked: nil, "xai.grok-4", by: "xai") == "configuration xai.grok-4")
        // Another model has answered.
        #expect(found(table, asked: nil, "llama", by: "groq") == nil)
    }

    @Test func `Names of clients are the configuration's only`() throws {
        let table = PriceTable([try entry("gpt-4o", .file, "1/h"), try entry("gpt-4", .builtIn, "1/h")])
        #expect(found(table, asked: "gpt-4o", "xai.grok-4") == nil, "it is grok that answers")
        #expect(found(table, asked: "gpt-4", "xai.grok-4") == nil)
    }

    @Test func `Ids are the same in any case, names of clients are not`() throws {
        let table = PriceTable([
            try entry("Fast", .configuration, "1/h"), try entry("Cohere.Command-A-03-2025", .configuration, "2/h"),
            try entry("OCI1.Endpoint.A", .file, "3/h"), try entry("gpt", .file, "4/h"), try entry("GPT", .file, "5/h"),
        ])
        #expect(found(table, asked: nil, "cohere.command-a-03-2025") == "configuration Cohere.Command-A-03-2025")
        #expect(found(table, asked: nil, "oci1.endpoint.a") == "file OCI1.Endpoint.A")
        #expect(found(table, asked: "fast", "x") == nil)
        #expect(found(table, asked: "Fast", "x") == "configuration Fast")
        #expect(found(table, asked: nil, "gpt") == "file gpt")
        #expect(found(table, asked: nil, "GPT") == "file GPT")
    }

    @Test func `Of two with one name the later counts`() throws {
        let table = PriceTable([try entry("a", .configuration, "1/h"), try entry("a", .configuration, "2/h")])
        #expect(table.price(asked: nil, id: "a", provider: nil)?.price == .hours(2_000_000_000_000))
    }

    @Test func `The built-in table says where each price is from, and has no row that is not understood`() throws {
        let models = BuiltInPrices.rows.flatMap { $0.models.split(separator: " ").map(String.init) }
        #expect(BuiltInPrices.entries.map(\.name) == models)
        #expect(Set(models).count == models.count && models.allSatisfy { $0 == $0.lowercased() && $0.contains(".") })
        for entry in BuiltInPrices.entries {
            let date = try #require(entry.date)
            #expect(date.count == 10 && date > "2026" && date <= BuiltInPrices.version)
            #expect(!entry.source.isEmpty && entry.doubt?.isEmpty != true)
        }
        for row in BuiltInPrices.rows { #expect(PriceText.text(try PriceText.price(row.price)) == row.price) }
    }

    @Test(
        arguments: [
            ("xai.grok-4", 10_500_000), ("openai.gpt-oss-120b", 450_000), ("google.gemini-2.5-flash", 1_550_000),
            ("xai.grok-4.20-reasoning", 2_500_000),
            // By 4,000 and 2,000 characters.
            ("meta.llama-3.3-70b-instruct", 1_080_000), ("cohere.command-a-03-2025", 9_360_000),
            ("cohere.embed-v4.0", 400_000), ("meta.llama-3.1-405b-instruct", 16_020_000),
        ])
    func `Costs by built-in prices`(model: String, cost: Int64) throws {
        var usage = LedgerUsage()
        (usage.prompt, usage.completion, usage.charactersIn, usage.charactersOut) = (1_000, 500, 4_000, 2_000)
        let entry = try #require(PriceTable().price(asked: nil, id: model, provider: nil))
        #expect(entry.price.cost(of: usage) == cost)
    }

    @Test(arguments: ["xai.grok-4-fast-reasoning", "xai.grok-code-fast-1", "cohere.rerank-v3.5", "gpt-4o"])
    func `What has no price that can be believed has none`(model: String) {
        #expect(PriceTable().price(asked: nil, id: model, provider: nil) == nil)
    }
}

@Suite struct LiteLLMPriceTests {
    @Test(
        arguments: [
            (["input_cost_per_token": 3e-6, "output_cost_per_token": 1.5e-5], "3 in 15 out per 1M tokens"),
            (["input_cost_per_token": 7.2e-7, "output_cost_per_token": 7.2e-7], "0.72 in 0.72 out per 1M tokens"),
            (
                [
                    "input_cost_per_token": 1.25e-6, "output_cost_per_token": 2.5e-6,
                    "cache_read_input_token_cost": 2e-7,
                    "output_cost_per_reasoning_token": 3e-6, "input_cost_per_token_above_200k_tokens": 2.5e-6,
                    "output_cost_per_token_above_200k_tokens": 5e-6,
                    "cache_read_input_token_cost_above_200k_tokens": 4e-7,
                    "output_cost_per_reasoning_token_above_200k_tokens": 6e-6,
                ],
                "1.25 in 0.2 cached 2.5 out 3 reasoning per 1M tokens, above 200k: 2.5 in 0.4 cached 5 out 6 reasoning"
            ),
            (
                [
                    "input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6,
                    "input_cost_per_token_above_128k_tokens": 2e-6, "input_cost_per_token_above_200k_tokens": 3e-6,
                ], "1 in 1 out per 1M tokens, above 128k: 2 in, above 200k: 3 in"
            ),
            (["input_cost_per_token": 1e-7, "output_cost_per_token": 0], "0.1 in 0 out per 1M tokens"),
            (["input_cost_per_token": 1e-7], "0.1 in 0 out per 1M tokens"),
            (["input_cost_per_character": 1.8e-7, "output_cost_per_character": 1.8e-7], "0.0018 per 10k characters"),
            (["input_cost_per_character": 1e-7], "0.001 in 0 out per 10k characters"),
            // Pictures and speech.
            (
                [
                    "input_cost_per_token": 5e-6, "input_cost_per_image_token": 1e-5,
                    "output_cost_per_image_token": 4e-5,
                ],
                "5 in 40 out per 1M tokens"
            ),
            (["input_cost_per_token": 2.5e-6, "output_cost_per_audio_token": 1.2e-5], "2.5 in 12 out per 1M tokens"),
            (["input_cost_per_audio_token": 6e-6, "output_cost_per_token": 1e-5], "6 in 10 out per 1M tokens"),
            (
                ["input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6, "input_cost_per_character": 5e-7],
                "1 in 2 out per 1M tokens"
            ),
            (
                ["input_cost_per_token": 0, "output_cost_per_token": 0, "input_cost_per_character": 1e-7],
                "0.001 in 0 out per 10k characters"
            ),
            // Of other kinds, and lengths that are none.
            (
                [
                    "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6, "input_cost_per_token_batches": 5e-7,
                    "input_cost_per_token_above_200k_tokens_priority": 9, "input_cost_per_token_above_k_tokens": 9,
                    "input_cost_per_token_above_-5k_tokens": 9, "max_input_tokens": 131_072, "input_cost_per_image": 1,
                ], "1 in 2 out per 1M tokens"
            ),
        ] as [([String: Double], String)])
    func `Entries with a price`(numbers: [String: Double], text: String) throws {
        #expect(LiteLLMPrice.price(numbers).map { PriceText.text($0) } == text)
    }

    @Test(
        arguments: [
            [:], ["input_cost_per_token": 0, "output_cost_per_token": 0], ["max_tokens": 4_096],
            ["input_cost_per_token": -1e-6], ["input_cost_per_token": .nan], ["output_cost_per_token": .infinity],
            ["input_cost_per_token": 1e300], ["input_cost_per_token": 1e-6, "output_cost_per_token": -1e-6],
            ["input_cost_per_token": 1e-6, "cache_read_input_token_cost": .infinity],
            ["input_cost_per_token": 1e-6, "input_cost_per_token_above_200k_tokens": -.infinity],
            ["input_cost_per_query": 0.002], ["output_cost_per_token": 1e-14],
        ] as [[String: Double]])
    func `Entries without one`(numbers: [String: Double]) { #expect(LiteLLMPrice.price(numbers) == nil) }
}
