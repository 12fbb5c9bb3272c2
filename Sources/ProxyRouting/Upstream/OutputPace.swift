/// How fast answers come, in tokens a second: those of the last ones, each weighing less than the one after it.
package struct OutputPace: Sendable {
    private var tokens = 0.0
    private var seconds = 0.0

    package init() {}

    /// Nil before the first stream has ended.
    package var tokensPerSecond: Double? { seconds > 0 ? tokens / seconds : nil }

    /// - Parameter time: from the first event to the end. What comes in one piece says nothing.
    package mutating func add(tokens count: Int, in time: Duration) {
        guard count > 1, time > .milliseconds(1) else { return }
        // About the last twenty answers.
        tokens = tokens * 0.95 + Double(count)
        seconds = seconds * 0.95 + time / .seconds(1)
    }
}
