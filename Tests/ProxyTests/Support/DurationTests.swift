import ProxyTestSupport
import Testing

@testable import Proxy

@Suite struct DurationTests {
    @Test func `Microseconds are what the attoseconds come to, whichever way they are divided`() {
        var random = SplitMix64(seed: 1)
        for bits in 0..<80 {
            for _ in 0..<20 {
                let attoseconds = (Int128(random.next()) << 16) >> (80 - bits)
                for number in [attoseconds, -attoseconds] {
                    let duration = Duration(attoseconds: number)
                    #expect(duration.microseconds == Int64(number / 1_000_000_000_000))
                }
            }
        }
        #expect(Duration.microseconds(37_778_931_862).microseconds == 37_778_931_862)
        #expect(Duration.microseconds(37_778_931_863).microseconds == 37_778_931_863)
        #expect(Duration.nanoseconds(999).microseconds == 0 && Duration.nanoseconds(1000).microseconds == 1)
        #expect(Duration.zero.microseconds == 0 && Duration.nanoseconds(-1999).microseconds == -1)
    }
}
