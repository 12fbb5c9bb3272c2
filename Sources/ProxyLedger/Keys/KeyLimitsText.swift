import Foundation
import ProxyAccounting

/// The limits of a key as JSON, for a column. Members that are missing or that nobody knows do not lose the key.
enum KeyLimitsText {
    private struct Document: Codable {
        struct Amount: Codable {
            var nanoDollars: Int64?
            var tokens: Int64?
            var per: String
        }
        var role: String?
        var expires: Int64?
        var models: [String]?
        var rpm: Int?
        var tpm: Int?
        var maxConcurrency: Int?
        var hard: [Amount]?
        var soft: [Amount]?
    }

    static func encode(_ limits: KeyLimits) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let document = Document(
            role: limits.role.rawValue, expires: limits.expires, models: limits.models, rpm: limits.requestsPerMinute,
            tpm: limits.tokensPerMinute, maxConcurrency: limits.maxConcurrency, hard: limits.hardBudgets.map(amount),
            soft: limits.softBudgets.map(amount))
        return String(decoding: try encoder.encode(document), as: UTF8.self)
    }

    /// - Returns: nil when the text says nothing that is understood, or leaves out a limit: then the key must not be used, for it could do more than
    ///   it may.
    static func decode(_ text: String) -> KeyLimits? {
        guard let document = try? JSONDecoder().decode(Document.self, from: Data(text.utf8)) else { return nil }
        var limits = KeyLimits()
        limits.role = document.role.flatMap(KeyRole.init(rawValue:)) ?? .client
        limits.expires = document.expires
        limits.models = document.models ?? []
        limits.requestsPerMinute = document.rpm
        limits.tokensPerMinute = document.tpm
        limits.maxConcurrency = document.maxConcurrency
        let hard = (document.hard ?? []).map(budget)
        guard !hard.contains(nil) else { return nil }
        limits.hardBudgets = hard.compactMap(\.self)
        limits.softBudgets = (document.soft ?? []).compactMap(budget)
        return limits
    }

    private static func amount(_ budget: Budget) -> Document.Amount {
        switch budget.amount {
        case .money(let cost): Document.Amount(nanoDollars: cost, per: budget.window.rawValue)
        case .tokens(let count): Document.Amount(tokens: count, per: budget.window.rawValue)
        }
    }

    private static func budget(_ amount: Document.Amount) -> Budget? {
        guard let window = BudgetWindow(rawValue: amount.per) else { return nil }
        if let cost = amount.nanoDollars { return Budget(.money(cost), per: window) }
        return amount.tokens.map { Budget(.tokens($0), per: window) }
    }
}
