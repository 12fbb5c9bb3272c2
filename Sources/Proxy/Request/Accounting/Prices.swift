import ProxyAccounting
import Synchronization

/// Tells the names of models from what clients make up. It never changes.
protocol PricedNames: AnyObject, Sendable {
    /// The name by which a price may be given for what a request asks for; nil when nobody knows it.
    func nameWithPrice(_ name: String) -> String?
}

/// The prices of the configuration of the moment.
final class Prices: Sendable {
    let table: PriceTable

    private struct Name: Hashable {
        let asked: String?
        let id: String
        let provider: String?

        // The id has nearly all there is to tell names apart.
        func hash(into hasher: inout Hasher) { id.hash(into: &hasher) }
    }
    /// What has been found: the table folds cases, and clients ask for the same again and again.
    private final class Shard: Sendable {
        struct State {
            var known: [Name: Pricing] = [:]
            /// Most requests ask for what the one before them has asked for.
            var last: Last?
        }
        let state = Mutex(State())
        /// Two cache lines, so that no other shard's lock is on this one's.
        private let padding = InlineArray<16, UInt64>(repeating: 0)
    }
    private struct Last {
        let catalog: any PricedNames
        let asked: String?
        let id: String
        let provider: String?
        let pricing: Pricing
    }
    private static let shardBits: UInt64 = 4
    private let shards = (0..<1 << shardBits).map { _ in Shard() }
    /// Names come from clients.
    private static let most = 1024

    init(_ table: PriceTable = PriceTable()) { self.table = table }

    /// What a call is charged by.
    ///
    /// - Parameters:
    ///   - asked: what the client asks for. A name that `catalog` does not know (`nameWithPrice`) decides nothing.
    ///   - id: the model's id at its upstream.
    ///   - provider: nil for an OCI account.
    func pricing(asked: String?, for id: String, of provider: String?, in catalog: any PricedNames) -> Pricing {
        let shard = shards[ThreadShard.index(bits: Self.shardBits)]
        let known = shard.state.withLock { state -> Pricing? in
            guard let last = state.last, last.catalog === catalog, last.asked == asked, last.id == id,
                last.provider == provider
            else { return nil }
            return last.pricing
        }
        if let known { return known }
        let pricing = pricing(asked: asked.flatMap { catalog.nameWithPrice($0) }, id: id, provider: provider)
        var last = Optional(Last(catalog: catalog, asked: asked, id: id, provider: provider, pricing: pricing))
        // The one before is let go of behind the lock: with it a whole catalogue may go.
        shard.state.withLock { swap(&$0.last, &last) }
        return pricing
    }

    /// The same by a name of a catalogue.
    ///
    /// - Parameters:
    ///   - asked: the name that the client used; nil when another model answered in its place.
    ///   - id: the model's id at its upstream.
    ///   - provider: nil for an OCI account.
    func pricing(asked: String?, id: String, provider: String?) -> Pricing {
        let name = Name(asked: asked, id: id, provider: provider)
        let shard = shards[ThreadShard.index(bits: Self.shardBits)]
        if let found = shard.state.withLock({ $0.known[name] }) { return found }
        let price = table.price(asked: asked, id: id, provider: provider)?.price
        // What has a price is known by the configuration, or by the table that is built in, also before any list has come.
        let pricing = Pricing(isListed: asked != nil || price != nil, price: price)
        shard.state.withLock { state in
            if state.known.count >= Self.most { state.known.removeAll() }
            state.known[name] = pricing
        }
        return pricing
    }

    /// The same where nothing else is wanted of it.
    func price(asked: String?, id: String, provider: String?) -> Price? {
        pricing(asked: asked, id: id, provider: provider).price
    }
}

/// What a call of a model is charged by, made out once for all attempts at it. A class, so that a request holds a reference and no copy.
final class Pricing: Sendable {
    /// The client has asked for the model by a name that is in a catalogue, or the model has a price: its name is not only the client's word.
    let isListed: Bool
    /// Nil when nobody knows it.
    let price: Price?

    init(isListed: Bool, price: Price?) {
        self.isListed = isListed
        self.price = price
        isByCharacters = if case .characters = price { true } else { false }
    }

    func cost(of usage: LedgerUsage) -> NanoDollars? { price?.cost(of: usage) }

    /// The model is billed by characters, which are counted then.
    let isByCharacters: Bool
}
