/// A price for one token, as people write it for a million.
enum TokenPriceText {
    /// `2.5`; nil for what is no price.
    static func perMillion(_ dollars: Double) -> String? {
        // Six places of a price by the million are picodollars of a token.
        let pico = (dollars * 1e12).rounded()
        guard pico >= 0, pico <= 1e15 else { return nil }
        let whole = Int(pico) / 1_000_000
        var places = String(Int(pico) % 1_000_000 + 1_000_000).dropFirst()
        while places.last == "0" { places.removeLast() }
        return places.isEmpty ? "\(whole)" : "\(whole).\(places)"
    }
}
