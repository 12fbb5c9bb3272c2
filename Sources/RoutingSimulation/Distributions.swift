#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The random quantities that loads are made of.
extension RandomNumberGenerator {
    /// Gaps between independent arrivals.
    mutating func exponential(mean: Double) -> Double { -log(1 - Double.random(in: 0..<1, using: &self)) * mean }

    /// Log-normal around a median of 1: most answers are short, a few are long.
    mutating func logNormal(sigma: Double) -> Double {
        let radius = (-2 * log(1 - Double.random(in: 0..<1, using: &self))).squareRoot()
        return exp(sigma * radius * cos(2 * Double.pi * Double.random(in: 0..<1, using: &self)))
    }

    /// As likely to halve as to double.
    mutating func logUniform(in range: ClosedRange<Double>) -> Double {
        exp(Double.random(in: log(range.lowerBound)...log(range.upperBound), using: &self))
    }
}
