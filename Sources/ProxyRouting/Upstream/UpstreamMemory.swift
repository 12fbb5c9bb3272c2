/// What is worth knowing of an upstream after a restart. Times are from now on, since clocks differ from process to process.
package struct UpstreamMemory: Equatable, Sendable {
    /// A cooldown that has not ended.
    package struct Rest: Equatable, Sendable {
        /// What is left of it.
        package var left: Duration
        /// It was asked for with 429.
        package var isThrottle: Bool
        /// Cooldowns without a success in between, this one among them.
        package var streak: Int

        package init(left: Duration, isThrottle: Bool, streak: Int) {
            self.left = left
            self.isThrottle = isThrottle
            self.streak = streak
        }
    }

    package struct Model: Equatable, Sendable {
        package var rest: Rest?
        /// How many requests it seems to take at once.
        package var limit: Int?

        package init(rest: Rest? = nil, limit: Int? = nil) {
            self.rest = rest
            self.limit = limit
        }

        package var isEmpty: Bool { rest == nil && limit == nil }
    }

    package var rest: Rest?
    /// By their ids at the upstream.
    package var models: [String: Model]

    package init(rest: Rest? = nil, models: [String: Model] = [:]) {
        self.rest = rest
        self.models = models
    }

    package var isEmpty: Bool { rest == nil && models.isEmpty }
}
