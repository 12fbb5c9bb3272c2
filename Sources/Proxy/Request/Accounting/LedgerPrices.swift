import ProxyAccounting

/// What the attempts in the ledger cost by the prices of the moment.
struct LedgerPrices: Sendable {
    private let prices: Prices
    /// The names of providers, by the ids of their entries.
    private let providers: [String: String]
    private let accounts: Set<String>

    init(_ prices: Prices = Prices(), providers: [String: String] = [:], accounts: Set<String> = []) {
        self.prices = prices
        self.providers = providers
        self.accounts = accounts
    }

    func cost(of attempt: UsedAttempt) -> NanoDollars? { price(of: attempt)?.cost(of: attempt.usage) }

    private func price(of attempt: UsedAttempt) -> Price? {
        func price(_ provider: String?) -> Price? {
            prices.price(asked: attempt.asked, id: attempt.model, provider: provider)
        }
        if let provider = providers[attempt.upstream] { return price(provider) }
        if accounts.contains(attempt.upstream) { return price(nil) }
        // The configuration knows it no more: it may have been either.
        return price(attempt.upstream) ?? price(nil)
    }
}

extension LedgerPrices {
    init(_ prices: Prices, by settings: Settings) {
        self.init(
            prices, providers: Dictionary(settings.providers.map { ($0.id, $0.name) }) { first, _ in first },
            accounts: Set(settings.accounts.map(\.id)))
    }
}
