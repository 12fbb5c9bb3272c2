/// A number of permits, some of them in use: the count of a semaphore without its waiting line.
package struct PermitCounter: Sendable, Equatable {
    package var limit: Int
    package private(set) var inUse = 0
    /// The most that were ever in use at once.
    package private(set) var peak = 0

    package init(limit: Int) {
        self.limit = limit
    }

    package var hasRoom: Bool { inUse < limit }
    /// Never negative, even when the limit has been lowered while permits were out.
    package var available: Int { max(limit - inUse, 0) }

    /// Only while there is room.
    package mutating func take() {
        precondition(hasRoom, "no permit is free")
        inUse += 1
        peak = max(peak, inUse)
    }

    package mutating func giveBack() {
        precondition(inUse > 0, "more permits released than taken")
        inUse -= 1
    }
}
