import Synchronization

/// `supported_models`: regular expressions that are searched in `provider/model`. Without any, every model is served.
package struct ModelFilter: Sendable {
    /// As written, in file order.
    package private(set) var patterns: [String] = []

    private var expressions: [Expression] = []

    package init() {}

    /// Whether a model is served.
    ///
    /// - Parameter model: `provider/model`.
    package func admits(_ model: String) -> Bool {
        expressions.isEmpty || expressions.contains { $0.occurs(in: model) }
    }

    /// Adds an expression.
    ///
    /// - Throws: what is wrong with it, as the end of a sentence.
    mutating func add(_ pattern: String) throws(InvalidExpression) {
        guard pattern.utf8.count <= Self.longest else { throw InvalidExpression(reason: "it is longer than \(Self.longest) bytes") }
        do {
            expressions.append(try Expression(pattern))
            patterns.append(pattern)
        } catch {
            throw InvalidExpression(reason: "\(error)")
        }
    }

    struct InvalidExpression: Error, Equatable { let reason: String }

    /// The time for reading an expression grows with it.
    private static let longest = 1024
    /// Every model is tried with every expression.
    static let most = 1000

    /// A compiled expression. `Regex` is not sendable, hence the lock; models are filtered when a list of them arrives,
    /// not with each request.
    private final class Expression: Sendable {
        private let regex: Mutex<Regex<AnyRegexOutput>>

        init(_ pattern: String) throws {
            regex = Mutex(try Regex(pattern))
        }

        func occurs(in text: String) -> Bool {
            regex.withLock { text.firstMatch(of: $0) != nil }
        }
    }
}

extension ModelFilter: Equatable {
    package static func == (left: ModelFilter, right: ModelFilter) -> Bool { left.patterns == right.patterns }
}
