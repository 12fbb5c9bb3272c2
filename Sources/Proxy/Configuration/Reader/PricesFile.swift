import ProxyAccounting

/// Reads a file of prices in LiteLLM's form: an object by model, with costs in US dollars for each token or character.
enum PricesFile {
    /// Bytes that such a file may have; the public one has less than two million.
    private static let largest = 32 << 20

    /// - Returns: the prices, in file order. What has none is left out.
    /// - Throws: what is wrong with the file, as the end of a sentence.
    static func read(_ bytes: [UInt8], name: String) throws(Problem) -> [PriceTable.Entry] {
        guard bytes.count <= largest else { throw Problem(reason: "it is larger than \(ByteSize.format(largest))") }
        let root: JSONValue
        do {
            root = try JSONDocument(parsing: bytes).root
        } catch {
            throw Problem(reason: "it is no JSON: \(error)")
        }
        guard root.kind == .object else { throw Problem(reason: "it is \(root.kindName), not an object by model") }
        var entries: [PriceTable.Entry] = []
        for (key, value) in root.members {
            // An example of the form, which is no model.
            guard let model = key.string, model != "sample_spec", value.kind == .object else { continue }
            var numbers: [String: Double] = [:]
            for (name, number) in value.members {
                if let name = name.string, let number = number.double { numbers[name] = number }
            }
            guard let price = LiteLLMPrice.price(numbers) else { continue }
            entries.append(PriceTable.Entry(name: model, price: price, origin: .file, source: name))
        }
        guard !entries.isEmpty else { throw Problem(reason: "there is no price in it") }
        return entries
    }

    struct Problem: Error { let reason: String }
}
