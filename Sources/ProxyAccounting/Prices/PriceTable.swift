/// Prices by the names of models.
///
/// A price of the configuration goes before one of the prices file, and that before a built-in one. Within each the
/// most exact name wins:
///
/// 1. the name that the client asked for, when it is not the model's id itself. Only in the configuration: the other
///    two know nothing of the names that an operator gives.
/// 2. `provider/model`; `oci/model` for accounts
/// 3. the model's id
///
/// Names that clients use are compared as they are, ids without regard to case.
package struct PriceTable: Equatable, Sendable {
    /// Where a price comes from.
    package enum Origin: String, Sendable, CaseIterable {
        case configuration, file
        case builtIn = "built-in"
    }

    package struct Entry: Equatable, Sendable {
        /// A name that clients use, an id, or `provider/model`.
        package var name: String
        package var price: Price
        package var origin: Origin
        /// Who says so, for people: `prices.json`, `proxy.ini, line 12`, or a price list.
        package var source: String
        /// When the source was read, as `2026-11-29`.
        package var date: String?
        /// Why it should be checked; nil when there is no doubt about it.
        package var doubt: String?

        package init(
            name: String, price: Price, origin: Origin, source: String, date: String? = nil, doubt: String? = nil
        ) {
            self.name = name
            self.price = price
            self.origin = origin
            self.source = source
            self.date = date
            self.doubt = doubt
        }
    }

    private struct Names: Equatable {
        var exact: [String: Int] = [:]
        var folded: [String: Int] = [:]

        func place(of name: String) -> Int? { exact[name] ?? folded[name.lowercased()] }
    }

    /// As they were given.
    package let entries: [Entry]
    private var configured = Names()
    private var read = Names()
    private var builtIn = Names()

    /// - Parameter entries: of all origins. Of two with the same name and origin the later one counts.
    package init(_ entries: [Entry] = BuiltInPrices.entries) {
        self.entries = entries
        for (place, entry) in entries.enumerated() {
            switch entry.origin {
            case .configuration: Self.note(entry.name, at: place, in: &configured)
            case .file: Self.note(entry.name, at: place, in: &read)
            case .builtIn: Self.note(entry.name, at: place, in: &builtIn)
            }
        }
    }

    private static func note(_ name: String, at place: Int, in names: inout Names) {
        names.exact[name] = place
        names.folded[name.lowercased()] = place
    }

    /// What an answer of a model is charged by; nil when there is no price.
    ///
    /// - Parameters:
    ///   - asked: the name that the client used. Nil when another model answered in its place: the asked one's price is
    ///     not that model's.
    ///   - id: of the model that answers, at its upstream; or of its endpoint.
    ///   - provider: that answers; nil for an OCI account.
    package func price(asked: String?, id: String, provider: String?) -> Entry? {
        if let asked, asked.lowercased() != id.lowercased(), let place = configured.exact[asked] {
            return entries[place]
        }
        let qualified = "\(provider ?? "oci")/\(id)"
        for names in [configured, read, builtIn] {
            if let place = names.place(of: qualified) ?? names.place(of: id) { return entries[place] }
        }
        return nil
    }
}
