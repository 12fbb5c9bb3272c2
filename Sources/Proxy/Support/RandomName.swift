import Synchronization

/// 128 bits, which no other call returns, in this process or another: to tell things apart. Names and no secrets: nobody should draw
/// conclusions from one, but a system call for each would cost more than the rest of a request's books.
///
/// Written down only when somebody asks for it: most answers bring a name of their own.
struct RandomName: Sendable {
    private let high: UInt64
    private let low: UInt64

    /// Another one.
    init() {
        let count = Self.lastNumber.wrappingAdd(1, ordering: .relaxed).newValue
        high = Self.mixed(Self.seeds.high &+ count)
        low = Self.mixed(Self.seeds.low ^ count)
    }

    /// In lower-case hex, 32 digits.
    var hex: String { hex(behind: "") }

    /// The same with an ASCII text before it.
    func hex(behind prefix: StaticString) -> String {
        let text = prefix.utf8
        // The prefix, and 2 times 16 digits.
        return unsafe String(unsafeUninitializedCapacity: text.count + 32) { bytes in
            for place in 0..<text.count { unsafe bytes[place] = text[place] }
            for place in 0..<16 {
                let shift = UInt64(60 - 4 * place)
                unsafe bytes[text.count + place] = Self.hexDigits.utf8[Int(high >> shift & 0xF)]
                unsafe bytes[text.count + 16 + place] = Self.hexDigits.utf8[Int(low >> shift & 0xF)]
            }
            return text.count + 32
        }
    }

    private static let hexDigits: StaticString = "0123456789abcdef"
    private static let lastNumber = Atomic<UInt64>(0)
    /// Of this process.
    private static let seeds = (high: UInt64.random(in: .min ... .max), low: UInt64.random(in: .min ... .max))

    /// A bijection that spreads neighbouring numbers over all bits (the finalizer of SplitMix64).
    private static func mixed(_ number: UInt64) -> UInt64 {
        var word = number
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }
}
