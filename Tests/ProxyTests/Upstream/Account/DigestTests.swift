import Foundation
import ProxyTestSupport
import Testing

@testable import Proxy

@Suite struct DigestTests {
    /// FIPS 180-4 examples, and the empty body of the OCI wire notes.
    @Test(arguments: [
        ("", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="), ("abc", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="),
    ])
    func `Sha 256`(text: String, digest: String) {
        #expect(Digest.sha256(Array(text.utf8)) == digest)
    }

    @Test func `Md 5 is written in pairs`() {
        let nothing: [UInt8] = []
        let pairs = Digest.md5Pairs(nothing.span)
        #expect(pairs == "d4:1d:8c:d9:8f:00:b2:04:e9:80:09:98:ec:f8:42:7e")
    }

    @Test func `Base 64 agrees with Foundation`() {
        var random = SplitMix64(seed: 1)
        for count in 0..<200 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(Digest.base64(bytes) == Data(bytes).base64EncodedString())
        }
    }
}
