/// 10⁻⁹ US dollars. Prices of tokens are so small that cents would round them away, and a double would not add up.
package typealias NanoDollars = Int64

/// Where token counts come from.
package enum UsageTruth: Int, Sendable, Comparable, CaseIterable {
    /// Nobody has counted; the counts are nil, and so is the cost.
    case unknown = 0
    /// Counted by the proxy, from the bytes that it sent and received.
    case estimated = 1
    /// As the upstream told them.
    case reported = 2

    package static func < (left: UsageTruth, right: UsageTruth) -> Bool { left.rawValue < right.rawValue }

    /// As exports write it.
    package var name: String {
        switch self {
        case .unknown: "unknown"
        case .estimated: "estimated"
        case .reported: "reported"
        }
    }
}

/// What an answer has used, as far as it is known. All counts are 0 or more.
package struct LedgerUsage: Equatable, Sendable {
    package var truth = UsageTruth.unknown
    /// Tokens read, those from a cache among them.
    @Known package var prompt: Int64? = nil
    /// Tokens written, reasoning among them.
    @Known package var completion: Int64? = nil
    /// The part of `prompt` that came from a cache.
    @Known package var cached: Int64? = nil
    /// The part of `prompt` that was put into a cache.
    @Known package var cacheWrites: Int64? = nil
    /// The part of `completion` that was reasoning.
    @Known package var reasoning: Int64? = nil
    /// Unicode scalars of what was sent and received, for models that are billed by them; else nil.
    @Known package var charactersIn: Int64? = nil
    @Known package var charactersOut: Int64? = nil

    package init() {}

    /// Nobody has counted.
    package var isUnknown: Bool { if case .unknown = truth { true } else { false } }
}
