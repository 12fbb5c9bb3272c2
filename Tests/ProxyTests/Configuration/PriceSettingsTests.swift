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
        let (entries, issues) = try PricesFile.read(Array(text.utf8), name: "prices.json")
        #expect(issues.map(\.line) == [4])
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

    // MARK: What is odd in it

    private static let good = #""good": {"input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06}"#

    /// A file with a good entry in its first line, and others behind it.
    private func file(_ entries: String...) throws -> (models: [String], issues: [ConfigurationIssue]) {
        let text = "{" + Self.good + entries.map { ",\n" + $0 }.joined() + "}"
        let (found, issues) = try PricesFile.read(Array(text.utf8), name: "prices.json")
        return (found.map(\.name), issues)
    }

    @Test(
        arguments: [
            (#"7"#, "is not an object", "a number"), (#"null"#, "is not an object", "null"),
            (#"{"input_cost_per_token": "cheap"}"#, "is not a number", #"input_cost_per_token is "cheap""#),
            (#"{"input_cost_per_token": "nan"}"#, "is not a number", "nan"),
            (#"{"input_cost_per_token": "1,5"}"#, "is not a number", "1,5"),
            (#"{"input_cost_per_token": " 1"}"#, "is not a number", "input_cost_per_token"),
            (#"{"input_cost_per_token": ""}"#, "is not a number", "input_cost_per_token"),
            (#"{"input_cost_per_token": true}"#, "is not a number", "true"),
            (#"{"input_cost_per_token": [1e-06]}"#, "is not a number", "[1e-06]"),
            (#"{"output_cost_per_token": -1e-06}"#, "is negative", "output_cost_per_token is -1e-06"),
            (#"{"output_cost_per_token": "-1e-06"}"#, "is negative", "-1e-06"),
            (#"{"input_cost_per_token": 1, "output_cost_per_token": 1e400}"#, "too large", "1e400"),
            (#"{"input_cost_per_token": 1e-06, "output_cost_per_token": 1e30}"#, "too large", "1e30"),
            (#"{"input_cost_per_token": 1e-06, "output_cost_per_token": 1e-13}"#, "less than", "1e-13"),
            (#"{"input_cost_per_token": 1e-06, "input_cost_per_token": 2e-06}"#, "given twice", "input_cost_per_token"),
            (
                #"{"input_cost_per_token": 1e-06, "input_cost_per_token_above_200k_tokens": "x"}"#, "is not a number",
                "200k"
            ),
            (#"{"input_cost_per_character": -1}"#, "is negative", "input_cost_per_character"),
        ])
    func `An entry that cannot be used is left out, and named with its line`(
        entry: String, fault: String, detail: String
    ) throws {
        let (models, issues) = try file(#""odd": "# + entry)
        #expect(models == ["good"])
        #expect(issues.count == 1)
        let issue = try #require(issues.first)
        #expect(issue.severity == .warning && issue.location == "prices.json:2" && !issue.fix.isEmpty)
        #expect(issue.message.hasPrefix("a price is left out, since "))
        for words in ["odd", fault, detail] { #expect(issue.message.contains(words), "\(issue)") }
    }

    @Test func `A number in a text is a number`() throws {
        let text = #"{"a": {"input_cost_per_token": "3e-06", "output_cost_per_token": "0.000015"}}"#
        let (entries, issues) = try PricesFile.read(Array(text.utf8), name: "prices.json")
        #expect(issues.isEmpty)
        #expect(entries.map { PriceText.text($0.price) } == ["3 in 15 out per 1M tokens"])
    }

    @Test func `What is no rate may be anything`() throws {
        let (models, issues) = try file(
            #""b": {"input_cost_per_token": 1e-06, "output_cost_per_token": null, "max_tokens": "many", "input_cost_per_image": -1, "search_context_cost_per_query": {"high": 1}}"#,
            #""c": {"mode": "image_generation", "input_cost_per_pixel": 1e-08}"#,
            #""d": {"input_cost_per_token": 0, "output_cost_per_token": 0}"#)
        #expect(models == ["good", "b"])
        #expect(issues.isEmpty)
    }

    @Test func `Many of a kind are one line`() throws {
        let entries = (0..<2000).map { #""m\#($0)": {"input_cost_per_token": "soon"}"# } + [#""n": 7"#, #""o": -1"#]
        let text = "{" + Self.good + entries.map { ",\n" + $0 }.joined() + "}"
        let (found, issues) = try PricesFile.read(Array(text.utf8), name: "prices.json")
        #expect(found.count == 1 && issues.count == 2)
        #expect(issues[0].location == "prices.json:2002")
        #expect(issues[0].message.contains("2 prices are left out") && issues[0].message.contains("o in line 2003"))
        #expect(
            issues[1].message
                == #"2000 prices are left out, since a rate is not a number (m0: input_cost_per_token is "soon"; m1 in line 3: input_cost_per_token is "soon"; m2 in line 4: input_cost_per_token is "soon"; and 1997 more)"#
        )
    }

    @Test func `Of two prices the later one counts, which is told when they differ`() throws {
        let text = "{\(Self.good),\n\(Self.good)}"
        #expect(try PricesFile.read(Array(text.utf8), name: "p").issues.isEmpty)
        let other = "{\(Self.good),\n" + #""good": {"input_cost_per_token": 5e-06}}"#
        let (entries, issues) = try PricesFile.read(Array(other.utf8), name: "p")
        #expect(entries.map { PriceText.text($0.price) } == ["5 in 0 out per 1M tokens"])
        #expect(issues.map(\.location) == ["p:2"])
        #expect(issues.first?.message.contains("two prices") == true)
    }

    @Test(arguments: [
        #"{"input_cost_per_token": 3, "output_cost_per_token": 15}"#, #"{"input_cost_per_character": 1}"#,
    ])
    func `A price that is beyond all others holds, and is doubted`(entry: String) throws {
        let (models, issues) = try file(#""dear": "# + entry)
        #expect(models == ["good", "dear"])
        #expect(issues.first?.message.contains("above 10,000 USD per 1M") == true)
    }

    @Test func `A name cannot play with the terminal`() throws {
        let (_, issues) = try file(#""\u001b[2Jx": 7"#)
        #expect(issues.first?.message.contains("?[2Jx") == true)
        #expect(issues.first?.message.contains("\u{1b}") == false)
    }

    @Test func `When nothing is left, the reason is among the words`() throws {
        let problem = #expect(throws: PricesFile.Problem.self) {
            try PricesFile.read(Array(#"{"a": {"input_cost_per_token": "x"}}"#.utf8), name: "p")
        }
        #expect(problem?.reason.contains("no price in it: a price is left out") == true)
    }

    @Test(arguments: ["3 in 15 out per token", "1 per character", "20000 per hour"])
    func `So are doubted those of the configuration`(price: String) throws {
        let outcome = read("[PRICES]\ngrok-4 = \(price)\n")
        #expect(outcome.errors.isEmpty)
        #expect(outcome.settings?.ledger.prices.count == 1)
        let warning = try #require(outcome.issues.first { $0.message.contains("grok-4") })
        #expect(warning.severity == .warning && warning.line == 8)
    }

    @Test(arguments: [
        #"{"a/b": "3 in 15 out per 1M tokens", "a/b": "4 per 1M tokens"}"#, #"{"a/b": 3}"#, #"{"a/b": null}"#,
        #"{"a/b": ""}"#, #"{"a/b": {"in": 3}}"#, #"{"": "3 per 1M tokens"}"#, #"[]"#, #""3 per 1M tokens""#,
    ])
    func `Nothing odd in a JSON file's prices is passed over`(prices: String) {
        let outcome = ConfigurationFixture.read(
            #"{"providers": ["zhipu|https://api.example/v4|KEY"], "tokens": ["a|T1"], "prices": "# + prices + "}")
        #expect(!outcome.issues.isEmpty)
    }

    @Test(arguments: ["grok-4 =", "= 3 per 1M tokens", "grok-4", "grok-4 = 1 per 1M tokens\nGROK-4 = 2 per 1M tokens"])
    func `Nor in the section`(lines: String) {
        #expect(!read("[PRICES]\n\(lines)\n").issues.isEmpty)
    }
}
