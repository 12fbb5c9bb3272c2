import ProxyAccounting

/// Reads a file of prices in LiteLLM's form: an object by model, with costs in US dollars for each token or character.
///
/// An entry that cannot be used is left out and told of: a price with a part missing would charge too little. Files of others have thousands of
/// entries, so all of one fault share a line.
struct PricesFile {
    /// Bytes that such a file may have; the public one has less than two million.
    private static let largest = 32 << 20

    private let bytes: [UInt8]
    private let name: String
    private var places: [String: Int] = [:]
    private var entries: [PriceTable.Entry] = []
    private var findings = PriceFindings()

    /// - Parameter name: of the file, for people.
    /// - Returns: the prices, in file order, and what was wrong with others. What has none is left out.
    /// - Throws: what is wrong with the file, as the end of a sentence.
    static func read(_ bytes: [UInt8], name: String) throws(Problem) -> (
        entries: [PriceTable.Entry], issues: [ConfigurationIssue]
    ) {
        guard bytes.count <= largest else { throw Problem(reason: "it is larger than \(ByteSize.format(largest))") }
        let root: JSONValue
        do {
            root = try JSONDocument(parsing: bytes).root
        } catch {
            throw Problem(reason: "it is no JSON: \(error)")
        }
        guard root.kind == .object else { throw Problem(reason: "it is \(root.kindName), not an object by model") }
        var file = PricesFile(bytes: bytes, name: name)
        for (key, value) in root.members { file.take(key, value) }
        let issues = file.findings.issues(in: name, bytes)
        guard !file.entries.isEmpty else {
            throw Problem(reason: "there is no price in it" + (issues.first.map { ": \($0.message)" } ?? ""))
        }
        return (file.entries, issues)
    }

    private init(bytes: [UInt8], name: String) {
        self.bytes = bytes
        self.name = name
    }

    private mutating func take(_ key: JSONValue, _ value: JSONValue) {
        // An example of the form, which is no model.
        guard let model = key.string, model != "sample_spec" else { return }
        let place = key.raw.startIndex
        func note(_ fault: PriceFindings.Fault, _ detail: String? = nil) {
            findings.note(fault, of: model, detail, at: place)
        }
        guard !model.isEmpty else { return note(.noName) }
        guard value.kind == .object else { return note(.noObject, value.kindName) }
        var rates: [String: Double] = [:]
        for (member, value) in value.members {
            guard let member = member.string, LiteLLMPrice.isRate(member), value.kind != .null else { continue }
            let written = String(decoding: value.raw.prefix(40), as: UTF8.self)
            guard let rate = Self.number(value) else { return note(.noNumber, "\(member) is \(written)") }
            switch LiteLLMPrice.fault(of: rate) {
            case .negative: return note(.negative, "\(member) is \(written)")
            case .tooLarge: return note(.tooLarge, "\(member) is \(written)")
            case .tooSmall: return note(.tooSmall, "\(member) is \(written)")
            case nil: break
            }
            guard rates.updateValue(rate, forKey: member).map({ $0 == rate }) ?? true else {
                return note(.twoRates, member)
            }
        }
        guard let price = LiteLLMPrice.price(rates) else { return }
        if price.isDoubtful { note(.doubtful, PriceText.text(price)) }
        let entry = PriceTable.Entry(name: model, price: price, origin: .file, source: name)
        guard let known = places[model] else {
            places[model] = entries.count
            entries.append(entry)
            return
        }
        if entries[known].price != price { note(.twice) }
        entries[known] = entry
    }

    /// A number, or a text that is one and nothing else: some programs write so what a double would round. Infinite when it is too large for any.
    private static func number(_ value: JSONValue) -> Double? {
        let text: String
        switch value.kind {
        case .number: text = String(decoding: value.raw, as: UTF8.self)
        case .string:
            text = value.string ?? ""
            // `Double` reads more than JSON has: `nan`, `infinity`, hexadecimals.
            guard text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }) else { return nil }
        case .object, .array, .true, .false, .null: return nil
        }
        return Double(text)
    }

    struct Problem: Error { let reason: String }
}
