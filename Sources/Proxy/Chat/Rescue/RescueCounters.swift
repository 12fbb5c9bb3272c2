import Synchronization

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
