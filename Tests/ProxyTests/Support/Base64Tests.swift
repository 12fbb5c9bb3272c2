import Foundation
import ProxyTestSupport
import Testing

@testable import Proxy

@Suite struct Base64Tests {
    @Test(arguments: 0..<70)
    func `Encodes as Foundation does and reads it back`(count: Int) {
        var random = SplitMix64(seed: UInt64(count))
        let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        #expect(String(decoding: Base64.encode(bytes), as: UTF8.self) == Data(bytes).base64EncodedString())
        #expect(Base64.decode(Base64.encode(bytes)) == bytes)
    }
}
