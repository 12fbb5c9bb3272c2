import NIOHTTP1
import Synchronization

/// The name under which a request can be found again, in the answer, in the log and at the client.
enum RequestID {
    /// The client's own `x-request-id` when it is at most 128 visible ASCII characters, else a new one.
    static func of(_ headers: HTTPHeaders?) -> String {
        if let given = headers?.first(name: "x-request-id"), (1...128).contains(given.utf8.count),
            given.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        {
            return given
        }
        return "req_" + randomHex()
    }

    /// 128 bits in lower-case hex, which no other call returns, in this process or another. Names and no secrets: nobody should draw
    /// conclusions from one, but a system call for each would cost more than the rest of a request's books.
    static func randomHex() -> String {
        let count = lastNumber.wrappingAdd(1, ordering: .relaxed).newValue
        return String(unsafeUninitializedCapacity: 32) { digits in
            for (start, word) in [(0, mixed(seeds.high &+ count)), (16, mixed(seeds.low ^ count))] {
                for place in 0..<16 { digits[start + place] = hexDigits.utf8[Int(word >> UInt64(60 - 4 * place) & 0xF)] }
            }
            return 32
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
