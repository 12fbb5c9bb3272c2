import NIOHTTP1

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

    /// 128 random bits in lower-case hex.
    static func randomHex() -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        let digits: StaticString = "0123456789abcdef"
        for word in [UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max)] {
            for shift in stride(from: 60, through: 0, by: -4) { bytes.append(digits.utf8[Int(word >> UInt64(shift) & 0xF)]) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
