extension Duration {
    /// In seconds.
    package var seconds: Double { floatingAttoseconds / 1e18 }

    /// In milliseconds.
    package var floatingMilliseconds: Double { floatingAttoseconds / 1e15 }

    /// Exact for whole milliseconds up to two seconds, within 53 bits beyond. By halves, since converting all 128 bits at once is generic code of two
    /// thousand instructions, and `components` divides.
    private var floatingAttoseconds: Double {
        let all = attoseconds
        return Double(Int64(truncatingIfNeeded: all &>> 64)) * 0x1p64 + Double(UInt64(truncatingIfNeeded: all))
    }
}
