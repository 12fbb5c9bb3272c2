import NIOHTTP1
import Testing

@testable import Proxy

@Suite struct ContentCodingTests {
    @Test(
        arguments: [
            ("gzip", "gzip"), ("GZIP", "gzip"), (" x-gzip ", "gzip"), ("deflate", "deflate"), ("identity", nil),
            ("", nil), ("Identity, gzip", "gzip"), ("none", nil), ("utf-8", nil),
            ("gzip, ", "gzip"), ("X-GZIP", "gzip"), ("Deflate", "deflate"), ("None", nil), ("UTF-8", nil),
            ("identity, identity", nil),
        ] as [(String, String?)])
    func `What is understood has one name`(written: String, coding: String?) throws {
        var headers: HTTPHeaders = ["content-encoding": written, "content-type": "application/json"]
        #expect(try ContentCoding.readPacking(of: &headers) == (coding != nil))
        #expect(headers.first(name: "content-encoding") == coding && headers.contains(name: "content-type"))
    }

    @Test(arguments: ["br", "zstd", "compress", "gzip, gzip", "gzip, br", "aes", "x-compress", "gzip, deflate", "lz4"])
    func `What was not asked for is told`(written: String) {
        var headers: HTTPHeaders = ["content-encoding": written]
        let error = #expect(throws: TransportError.self) { try ContentCoding.readPacking(of: &headers) }
        #expect("\(error.debugDescription)".contains(written))
    }
}
