import ProxyRouting
import Synchronization

/// How far the configuration has broken answers rescued.
struct RescuePolicy: Sendable {
    var mode = RescueMode.off
    var byModel: [String: RescueMode] = [:]
    var byProvider: [String: RescueMode] = [:]
    /// For all rescues of a request together.
    var limit = Duration.seconds(20)
    var counters = RescueCounters()

    init() {}

    init(_ settings: Settings, counting counters: RescueCounters) {
        (mode, byModel, limit) = (settings.rescue.mode, settings.rescue.models, settings.rescue.timeout)
        // Of several entries of one name, the one that wants least speaks for all: the stream of each may be gone on with by the others.
        for provider in settings.providers {
            let modes = [provider.rescue, byProvider[provider.name]].compactMap(\.self)
            byProvider[provider.name] = modes.min()
        }
        self.counters = counters
    }

    /// A model has the mode that is set for it under the name that the client uses, else the least of those under its other names; then its provider's, then everybody's.
    ///
    /// - Parameters:
    ///   - model: as the client names it.
    ///   - provider: that has it; nil for a model of OCI's.
    ///   - isSame: whether another name means that model.
    ///   - wish: the client's header, which may only ask for less.
    func mode(
        for model: String, of provider: String?, isSame: (String) -> Bool = { _ in false }, wish: () -> String?
    ) -> RescueMode {
        let own = byModel[model] ?? byModel.filter { isSame($0.key) }.map(\.value).min()
        let mode = own ?? provider.flatMap { byProvider[$0] } ?? mode
        guard mode > .off, let wish = wish() else { return mode }
        // What is no mode asks for none: who writes it wants less than there is.
        return wish.split(separator: ",", omittingEmptySubsequences: false).reduce(mode) { mode, word in
            let word = word.trimmingPrefix(while: \.isWhitespace).lowercased()
            return min(mode, RescueMode(rawValue: String(word.prefix { !$0.isWhitespace })) ?? .off)
        }
    }
}

/// What has become of rescues, by model. Bounded: models come from clients.
final class RescueCounters: Sendable {
    enum Result: String, Sendable, CaseIterable {
        /// A stream broke off and might have been rescued.
        case armed
        /// Another upstream was asked.
        case attempted
        /// It has repeated what the client knew, and went on.
        case verified
        /// It went on behind a prefill.
        case continued
        /// It gave another answer.
        case diverged
        /// It refused the prefill.
        case refused
        /// It gave no answer, or not in time.
        case failed
    }

    private static let mostModels = 256
    /// Stands for the models beyond.
    private static let others = "other"

    private let counts = Mutex<[String: [Result: Int]]>([:])

    func count(_ result: Result, of model: String) {
        counts.withLock { counts in
            let model = counts[model] != nil || counts.count < Self.mostModels ? model : Self.others
            counts[model, default: [:]][result, default: 0] += 1
        }
    }

    /// In order, so that two scrapes look alike.
    var all: [(model: String, result: Result, count: Int)] {
        counts.withLock { $0 }.sorted { $0.key < $1.key }.flatMap { model, results in
            Result.allCases.compactMap { result in results[result].map { (model, result, $0) } }
        }
    }
}
