/// A decimal number as people write it, exactly. Doubles would turn 0.1 into something else.
struct DecimalNumber: Equatable, Sendable {
    /// At most 24 digits.
    private let digits: Int128
    /// How many of them stand behind the point.
    private let decimals: Int

    enum Scaled: Equatable {
        case exact(Int64)
        /// It has more decimals than the result can hold.
        case tooFine
        case tooLarge
    }

    /// - Parameter text: digits with or without a point among or before them; `_` may stand between digits.
    init?(_ text: some StringProtocol) {
        var value: Int128 = 0
        var count = 0
        var decimals: Int?
        var last: Character = "_"
        for character in text {
            switch character {
            case "0"..."9":
                guard let digit = character.wholeNumberValue else { return nil }
                if value != 0 { count += 1 } else if digit != 0 { count = 1 }
                decimals = decimals.map { $0 + 1 }
                guard count <= 24, decimals ?? 0 <= 24 else { return nil }
                value = value * 10 + Int128(digit)
            case ".":
                guard decimals == nil, last != "_" || count == 0 else { return nil }
                decimals = 0
            case "_": guard last != "_", last != "." else { return nil }
            default: return nil
            }
            last = character
        }
        guard last != "_", last != "." else { return nil }
        var places = decimals ?? 0
        while places > 0, value % 10 == 0 { (value, places) = (value / 10, places - 1) }
        digits = value
        self.decimals = places
    }

    /// The number times 10 to the power of `power`, times `factor`, for each of `divisor`.
    ///
    /// - Parameters:
    ///   - power: 0...12.
    ///   - factor: 1 or more.
    ///   - divisor: 1 or more.
    func scaled(power: Int, times factor: Int64 = 1, per divisor: Int64 = 1) -> Scaled {
        let (numerator, overflow) = (digits * Self.power(power)).multipliedReportingOverflow(by: Int128(factor))
        guard !overflow else { return .tooLarge }
        let (whole, rest) = numerator.quotientAndRemainder(dividingBy: Self.power(decimals) * Int128(divisor))
        guard rest == 0 else { return .tooFine }
        guard let value = Int64(exactly: whole) else { return .tooLarge }
        return .exact(value)
    }

    private static func power(_ exponent: Int) -> Int128 {
        var value: Int128 = 1
        for _ in 0..<exponent { value *= 10 }
        return value
    }

    /// `value` in units of 10 to the power of -`decimals`, written with no more decimals than it needs.
    ///
    /// - Parameters:
    ///   - value: 0 or more.
    ///   - least: decimals that are written when there are any.
    static func text(_ value: Int64, decimals: Int, least: Int = 0) -> String {
        var digits = String(value)
        if digits.count <= decimals { digits = String(repeating: "0", count: decimals + 1 - digits.count) + digits }
        let whole = digits.dropLast(decimals)
        var fraction = String(digits.suffix(decimals))
        while fraction.last == "0" { fraction.removeLast() }
        if fraction.isEmpty { return String(whole) }
        while fraction.count < least { fraction.append("0") }
        return whole + "." + fraction
    }
}
