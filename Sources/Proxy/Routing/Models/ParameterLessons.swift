import Synchronization

/// What each model has taught, for the requests that come after.
final class ParameterLessons: Sendable {
    /// Clients choose ids; what they make up must not grow without bound.
    private static let mostModels = 1000

    private let lessons = Mutex<[String: Set<ParameterLesson>]>([:])

    /// What is known about a model: its family's row, and what it has taught itself.
    func family(of modelID: String) -> ModelFamily {
        let family = ModelFamily.of(modelID)
        guard let learnt = lessons.withLock({ $0[modelID] }) else { return family }
        return family.taught(learnt)
    }

    /// Takes a refusal to heart.
    ///
    /// - Returns: whether there was anything to learn, so that another try makes sense.
    func learn(from error: APIError, of modelID: String) -> Bool {
        guard let lesson = ParameterLesson(error, family: family(of: modelID)) else { return false }
        lessons.withLock { lessons in
            if lessons.count >= Self.mostModels, lessons[modelID] == nil { lessons.removeAll() }
            _ = lessons[modelID, default: []].insert(lesson)
        }
        return true
    }
}
