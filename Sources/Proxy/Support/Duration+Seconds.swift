extension Duration {
    /// Whole seconds, rounded up.
    var secondsRoundedUp: Int {
        let (seconds, attoseconds) = components
        return Int(clamping: seconds) + (attoseconds > 0 ? 1 : 0)
    }
}

extension Duration {
    /// Whole microseconds; part of one is dropped.
    var microseconds: Int64 {
        // 10¹² = 2¹² · 5¹². Up to ten hours and a half the shifted number has 64 bits, which are divided at once.
        if attoseconds >= 0, let shifted = Int64(exactly: attoseconds >> 12) { return shifted / 244_140_625 }
        return Int64(attoseconds / 1_000_000_000_000)
    }

    /// Whole milliseconds, rounded down.
    var milliseconds: Int64 { Int64(attoseconds / 1_000_000_000_000_000) }
}
