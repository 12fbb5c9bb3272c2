/// What has been done on a stranger's text, and whether anybody still waits for it.
struct StepCounter {
    /// Members and elements that were looked at, bytes of references.
    private(set) var steps = 0
    /// Whoever asked has left, and nobody reads what becomes of the rest.
    private(set) var isAbandoned = false

    /// Counts steps. Now and then it looks whether the task has been cancelled.
    mutating func count(_ number: Int = 1) {
        steps += number
        if steps & 0x3FF < number, Task.isCancelled { isAbandoned = true }
    }
}
