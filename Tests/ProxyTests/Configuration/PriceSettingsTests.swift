import ProxyAccounting
import Testing

@testable import Proxy

@Suite struct PriceSettingsTests {
    private func read(_ text: String) -> ConfigurationLoader.Outcome {
        ConfigurationFixture.read(ConfigurationFixture.identity() + "api_key = first-key-1\n" + text)
    }

    @Test func `Prices of the file are read, with their places`() throws {
        let outcome = read(
            "[PRICES]\ngrok-4 = 3 in 15 out per 1M tokens\ncohere.command-a = 0.0156 per 10k characters\n")
        #expect(outcome.errors.isEmpty)
        let prices = try #require(outcome.settings?.ledger.prices)
        #expect(prices.map(\.name) == ["grok-4", "cohere.command-a"])
        #expect(prices.map(\.source) == ["c.conf:8", "c.conf:9"])
        #expect(PriceText.text(prices[0].price) == "3 in 15 out per 1M tokens")
    }

    @Test func `So are those of a JSON file`() throws {
        let outcome = ConfigurationFixture.read(
            #"""
            {"providers": ["zhipu|https://api.example/v4|KEY"], "tokens": ["a|T1"],
             "prices": {"zhipu/glm": "3/M in, 15/M out"}}
            """#)
        #expect(outcome.errors.isEmpty)
        #expect(outcome.settings?.ledger.prices.map(\.name) == ["zhipu/glm"])
    }

    @Test(arguments: ["grok-4 = cheap", "grok-4 = 3 EUR per token", "grok-4 = -1 per 1M tokens"])
    func `A price that cannot be read is an error with its line`(line: String) {
        let error = read("[PRICES]\n\(line)\n").errors.first
        #expect(error?.line == 8)
        #expect(error?.message.contains("the price of grok-4 is not valid") == true)
    }

    @Test func `A file in LiteLLM's form is read`() throws {
        let text = #"""
            {"sample_spec": {"input_cost_per_token": 1},
             "oci/xai.grok-4": {"input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05, "mode": "chat"},
             "zhipu/glm": {"input_cost_per_token": 1e-07, "output_cost_per_token": 2e-07},
             "no-price": {"mode": "chat"}, "odd": 7}
            """#
        let entries = try PricesFile.read(Array(text.utf8), name: "prices.json")
        #expect(entries.map(\.name) == ["oci/xai.grok-4", "zhipu/glm"])
        let prices = Prices(PriceTable(BuiltInPrices.entries + entries))
        let grok = try #require(prices.price(asked: "grok-4", id: "xai.grok-4", provider: nil))
        #expect(PriceText.text(grok) == "3 in 15 out per 1M tokens")
        #expect(prices.price(asked: nil, id: "glm", provider: "zhipu") != nil)
        #expect(prices.price(asked: nil, id: "glm", provider: "other") == nil)
        // What has been asked for once is known.
        #expect(prices.price(asked: "grok-4", id: "xai.grok-4", provider: nil) == grok)
    }

    @Test(arguments: ["", "[]", "{", "{}", #"{"a": {"mode": "chat"}}"#])
    func `Any other file is refused with a reason`(text: String) {
        #expect(throws: PricesFile.Problem.self) { try PricesFile.read(Array(text.utf8), name: "prices.json") }
    }
}
