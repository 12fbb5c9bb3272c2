extension Duration {
    /// Whole seconds, rounded up.
    var secondsRoundedUp: Int {
        let (seconds, attoseconds) = components
        return Int(clamping: seconds) + (attoseconds > 0 ? 1 : 0)
    }
}

extension Duration {
    /// Whole microseconds, rounded down.
    var microseconds: Int64 { Int64(attoseconds / 1_000_000_000_000) }

    /// Whole milliseconds, rounded down.
    var milliseconds: Int64 { Int64(attoseconds / 1_000_000_000_000_000) }
}
