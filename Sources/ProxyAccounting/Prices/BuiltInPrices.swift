/// List prices of OCI Generative AI on demand, pay as you go, in US dollars; for whoever has configured none.
///
/// Oracle publishes its list as a page that fills in by script and as a PDF. Each row says where its price was read; a
/// row with a doubt is to be checked against the list before money depends on it. Left out is what has no price that
/// can be believed: grok-4-fast, grok-4.1-fast and grok-code-fast-1, for which LiteLLM has the price of grok-3-fast;
/// rerank, which is billed by search units; and dedicated clusters, whose hours depend on their size.
package enum BuiltInPrices {
    /// Of the table as a whole.
    package static let version = "2026-11-29"

    package static let entries: [PriceTable.Entry] = rows.flatMap { row in
        row.models.split(separator: " ").compactMap { model in
            guard let price = try? PriceText.price(row.price) else { return nil }
            return PriceTable.Entry(
                name: String(model), price: price, origin: .builtIn, source: row.source.text, date: row.source.date,
                doubt: row.doubt)
        }
    }

    struct Source: Equatable {
        let text: String
        let date: String
    }

    private static let listed = Source(
        text: "Oracle PaaS and IaaS Global Price List (PDF), as quoted by others", date: "2026-09-13")
    private static let parts = Source(
        text: "Oracle Cloud price list, parts B108080 and B111036, as quoted by models.dev", date: "2026-09-14")
    private static let catalogue = Source(
        text: "Oracle Cloud price list, parts B108078 and B108079, in a copy made by others", date: "2026-11-29")
    private static let liteLLM = Source(text: "LiteLLM's price map, entries oci/...", date: "2026-11-29")
    private static let proposed = Source(
        text: "LiteLLM pull request 28776, from Oracle's documents", date: "2026-05-25")

    private static let secondHand = "read in LiteLLM's map only, not in Oracle's list"

    struct Row {
        /// With spaces between.
        let models: String
        let price: String
        let source: Source
        var doubt: String?
    }

    static let rows = [
        // By tokens.
        Row(models: "openai.gpt-oss-20b", price: "0.07 in 0.3 out per 1M tokens", source: listed),
        Row(models: "openai.gpt-oss-120b", price: "0.15 in 0.6 out per 1M tokens", source: listed),
        Row(models: "google.gemini-2.5-flash-lite", price: "0.1 in 0.4 out per 1M tokens", source: listed),
        Row(
            models: "google.gemini-2.5-flash", price: "0.3 in 2.5 out per 1M tokens", source: listed,
            doubt: "LiteLLM's map has 0.15 in 0.6 out"),
        Row(
            models: "google.gemini-2.5-pro", price: "1.25 in 10 out per 1M tokens", source: liteLLM,
            doubt: "Oracle's list has higher rates for prompts above 200k tokens, which are missing here"),
        Row(
            models: "xai.grok-4.3",
            price: "1.25 in 0.2 cached 2.5 out per 1M tokens, above 200k: 2.5 in 0.4 cached 5 out",
            source: proposed, doubt: "the pull request was closed without being merged"),
        Row(
            models: "xai.grok-4.20-reasoning",
            price: "1.25 in 0.2 cached 2.5 out per 1M tokens, above 200k: 2.5 in 0.4 cached 5 out", source: liteLLM,
            doubt: secondHand),
        Row(
            models: "xai.grok-4.20-non-reasoning",
            price: "1.25 in 0.2 cached 2.5 out per 1M tokens, above 200k: 2.5 in 0.4 cached 5 out", source: liteLLM,
            doubt: "taken to cost what grok-4.20-reasoning does"),
        Row(models: "xai.grok-4 xai.grok-3", price: "3 in 15 out per 1M tokens", source: liteLLM, doubt: secondHand),
        Row(models: "xai.grok-3-fast", price: "5 in 25 out per 1M tokens", source: liteLLM, doubt: secondHand),
        Row(models: "xai.grok-3-mini", price: "0.3 in 0.5 out per 1M tokens", source: liteLLM, doubt: secondHand),

        // By characters: what Oracle's list calls transactions.
        Row(
            models: "meta.llama-3.3-70b-instruct meta.llama-4-maverick-17b-128e-instruct-fp8 "
                + "meta.llama-4-scout-17b-16e-instruct",
            price: "0.0018 per 10k characters", source: parts),
        Row(
            models: "meta.llama-3.3-70b-instruct-fp8-dynamic meta.llama-3.1-70b-instruct "
                + "meta.llama-3.2-90b-vision-instruct",
            price: "0.0018 per 10k characters", source: liteLLM,
            doubt: "worked back from 0.72 per 1M tokens, at four characters a token, as for Llama 3.3"),
        Row(
            models: "meta.llama-3.1-405b-instruct", price: "0.0267 per 10k characters", source: liteLLM,
            doubt: "worked back from 10.68 per 1M tokens, at four characters a token"),
        Row(
            models: "cohere.command-a-03-2025", price: "0.0156 per 10k characters", source: listed,
            doubt:
                "as \"Large Cohere\"; LiteLLM's map has 1.56 per 1M tokens, which looks like this price taken for tokens"
        ),
        Row(
            models: "cohere.command-r-plus-08-2024 cohere.command-r-plus cohere.command-a-reasoning-08-2025 "
                + "cohere.command-a-reasoning cohere.command-a-vision-07-2025 cohere.command-a-vision",
            price: "0.0156 per 10k characters", source: listed,
            doubt: "that \"Large Cohere\" is its product on the list was not read"),
        Row(
            models: "cohere.command-r-08-2024 cohere.command-r-16k", price: "0.0009 per 10k characters",
            source: catalogue, doubt: "as \"Small Cohere\"; not read in Oracle's list itself"),
        Row(
            models: "cohere.embed-english-v3.0 cohere.embed-multilingual-v3.0 cohere.embed-english-light-v3.0 "
                + "cohere.embed-multilingual-light-v3.0 cohere.embed-english-image-v3.0 "
                + "cohere.embed-multilingual-image-v3.0 cohere.embed-english-light-image-v3.0 "
                + "cohere.embed-multilingual-light-image-v3.0 cohere.embed-v4.0",
            price: "0.001 in 0 out per 10k characters", source: catalogue,
            doubt: "as \"Embed Cohere\"; not read in Oracle's list itself, and LiteLLM's map has 0.1 per 1M tokens"),
    ]
}
