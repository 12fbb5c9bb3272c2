import NIOCore
import NIOHTTP1
import Testing

@testable import Proxy

@Suite struct RequestBytesTests {
    private static func bytes(
        _ method: HTTPMethod, _ url: String, _ headers: HTTPHeaders = [:], _ body: String? = nil,
        through proxy: ProxyRules.Proxy? = nil,
        unpacksAnswers: Bool = false
    ) throws -> RequestBytes {
        let request = TransportRequest(
            method: method, url: url, headers: headers, body: body.map { ByteBuffer(string: $0) })
        return RequestBytes(
            try RequestHead(request, to: RequestAddress(url), through: proxy, unpacksAnswers: unpacksAnswers),
            request.body)
    }

    @Test func `Head and body are one piece`() throws {
        let bytes = try Self.bytes(.POST, "http://x:1/v1/chat?a=b", ["empty": "", "x": "y"], "ping")
        #expect(
            String(buffer: bytes.head)
                == "POST /v1/chat?a=b HTTP/1.1\r\nempty: \r\nx: y\r\nhost: x:1\r\ncontent-length: 4\r\n\r\nping")
        #expect(bytes.body == nil)
    }

    /// Around the length that is expected, and what is next to it.
    @Test(arguments: [900, 4020, 4030, 4040, 4050, 4060, 4070, 4080, 4090, 4096, 9000])
    func `A head may be long`(length: Int) throws {
        let text = String(repeating: "y", count: length)
        let bytes = try Self.bytes(
            .POST, "http://x/", ["x": text, "accept-encoding": "br"], "ping", unpacksAnswers: true)
        #expect(
            String(buffer: bytes.head)
                == "POST / HTTP/1.1\r\nx: \(text)\r\naccept-encoding: br\r\nhost: x\r\ncontent-length: 4\r\n\r\nping")
    }

    @Test func `A request without a body is its head`() throws {
        let get = try Self.bytes(.GET, "http://x/")
        #expect(String(buffer: get.head) == "GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        #expect(!get.asksForHead)
        #expect(try Self.bytes(.HEAD, "http://x/").asksForHead)
        #expect(
            String(buffer: try Self.bytes(.POST, "http://x/").head)
                == "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n")
    }

    @Test func `A large body is not copied`() throws {
        let text = String(repeating: "b", count: 100_000)
        let bytes = try Self.bytes(.PUT, "http://x/", [:], text)
        #expect(String(buffer: bytes.head) == "PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n")
        #expect(bytes.body.map { String(buffer: $0) } == text)
    }

    @Test func `What the caller has said is not said again`() throws {
        let headers: HTTPHeaders = [
            "Host": "other", "Content-Length": "4", "Accept-Encoding": "identity", "Transfer-Encoding": "chunked",
        ]
        let bytes = try Self.bytes(.POST, "http://x/", headers, "ping", unpacksAnswers: true)
        #expect(
            String(buffer: bytes.head)
                == "POST / HTTP/1.1\r\nHost: other\r\nContent-Length: 4\r\nAccept-Encoding: identity\r\n\r\nping")
    }

    @Test func `Who unpacks answers asks for them`() throws {
        let bytes = try Self.bytes(.GET, "http://x/", unpacksAnswers: true)
        #expect(String(buffer: bytes.head) == "GET / HTTP/1.1\r\nhost: x\r\naccept-encoding: gzip\r\n\r\n")
    }

    @Test(arguments: [("x", "a\r\nb: c"), ("x", "a\nb"), ("x\r\ny", "z"), ("x", "a\rb"), ("x", "a\0b"), ("x\0", "y")])
    func `A header that could end the head is refused`(_ name: String, _ value: String) {
        #expect(
            throws: TransportError.cannotConnect(
                "the request header \(String(reflecting: name)) has a line break or a NUL in it")
        ) {
            try Self.bytes(.GET, "http://x/", ["fine": "1", name: value])
        }
    }
}
