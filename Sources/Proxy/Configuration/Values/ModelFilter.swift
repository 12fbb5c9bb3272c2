import Synchronization

/// `supported_models`: regular expressions that are searched in `provider/model`. Without any, every model is served.
///
/// Clients make up names, and where nobody has listed anything such a name has to be judged: so an expression is never searched in a way that
/// can take longer than the product of both lengths (`LinearExpression`), what has been found is remembered, and a name is given up when it has
/// cost too much.
package struct ModelFilter: Sendable {
    /// As written, in file order.
    package private(set) var patterns: [String] = []

    private var expressions: [LinearExpression] = []
    private var verdicts = Verdicts()

    package init() {}

    /// Whether a model is served.
    ///
    /// - Parameter model: `provider/model`.
    package func admits(_ model: String) -> Bool {
        if expressions.isEmpty { return true }
        guard model.utf8.count <= Self.longestName else { return false }
        return verdicts.verdict(on: model) { work in
            let scalars = Array(model.unicodeScalars)
            return expressions.contains { $0.occurs(in: scalars, work: &work, most: Self.mostWork) ?? false }
        }
    }

    /// What has been done until now to judge names, in steps of expressions. For tests: work is counted, not timed.
    var work: Int { verdicts.work }

    /// Adds an expression.
    ///
    /// - Throws: what is wrong with it, as the end of a sentence.
    mutating func add(_ pattern: String) throws(InvalidExpression) {
        guard pattern.utf8.count <= Self.longest else {
            throw InvalidExpression(reason: "it is longer than \(Self.longest) bytes")
        }
        do {
            expressions.append(try LinearExpression(pattern))
            patterns.append(pattern)
            verdicts = Verdicts()
        } catch {
            throw InvalidExpression(reason: error.description)
        }
    }

    struct InvalidExpression: Error, Equatable { let reason: String }

    /// The time for reading an expression grows with it.
    private static let longest = 1024
    /// Every model is tried with every expression.
    static let most = 1000
    /// Bytes of a name, with what may stand before it.
    private static let longestName = 2 * ModelName.longest
    /// Steps that a name may cost with all expressions together: some milliseconds. A thousand expressions of the usual kind and a name of the
    /// usual length take a tenth of it. What costs more is not served.
    static let mostWork = 1 << 20

    /// What has been found out about names. The names of the lists are asked for again whenever a list changes, and made-up ones as often as their
    /// inventor likes.
    private final class Verdicts: Sendable {
        /// Clients choose names; they must not grow without bound.
        private static let most = 10_000

        private struct State {
            var known: [String: Bool] = [:]
            var work = 0
        }

        private let state = Mutex(State())

        var work: Int { state.withLock { $0.work } }

        /// - Parameter judge: called outside of the lock; counts its work.
        func verdict(on name: String, _ judge: (inout Int) -> Bool) -> Bool {
            if let known = state.withLock({ $0.known[name] }) { return known }
            var work = 0
            let verdict = judge(&work)
            state.withLock { state in
                if state.known.count >= Self.most { state.known.removeAll() }
                state.known[name] = verdict
                state.work += work
            }
            return verdict
        }
    }
}

extension ModelFilter: Equatable {
    package static func == (left: ModelFilter, right: ModelFilter) -> Bool { left.patterns == right.patterns }
}
