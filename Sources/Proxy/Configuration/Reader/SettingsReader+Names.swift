import ProxyAccounting

/// The sections whose keys are names of models.
extension SettingsReader {
    /// `[MODELS]`: NAME = OCI-MODEL-ID, an OCID, or an endpoint's OCID.
    mutating func readModels() {
        for entry in withoutOverridden(sections(named: "models").flatMap(\.entries)) {
            let isTarget =
                !entry.value.isEmpty && entry.value.utf8.count <= 255
                && entry.value.utf8.allSatisfy { byte in
                    (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
                        || "._-:/@".utf8.contains(byte)
                }
            guard isTarget else {
                report(
                    .error, entry.line,
                    "model \(INIDocument.shown(entry.key)) = \(entry.value) is not a valid OCI model id",
                    "use a model id such as meta.llama-3.3-70b-instruct, or an OCID")
                continue
            }
            settings.models.append(ModelAlias(name: entry.key, target: entry.value, line: entry.line))
        }
    }

    /// `[PRICES]`: MODEL = PRICE; or an object of texts.
    mutating func readPrices() {
        for entry in withoutOverridden(sections(named: JSONConfiguration.prices).flatMap(\.entries)) {
            let model = INIDocument.shown(entry.key)
            guard !entry.key.isEmpty else {
                report(.error, entry.line, "a price has no model", "name one, as in provider/model")
                continue
            }
            do {
                let price = try PriceText.price(entry.value)
                settings.ledger.prices.append(
                    PriceTable.Entry(
                        name: entry.key, price: price, origin: .configuration, source: "\(fileName):\(entry.line)"))
                if price.isDoubtful {
                    report(
                        .warning, entry.line,
                        "the price of \(model) is \(PriceText.text(price)), which is more than any known one",
                        "check what it is per, as in 3 in 15 out per 1M tokens")
                }
            } catch {
                report(
                    .error, entry.line, "the price of \(model) is not valid: \(error)",
                    "write it as 3 in 15 out per 1M tokens, or 0.0018 per 10k characters")
            }
        }
    }
}
