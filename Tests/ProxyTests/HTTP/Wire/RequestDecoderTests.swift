import NIOCore
import NIOEmbedded
import NIOHTTP1
import ProxyTestSupport
import Testing

@testable import Proxy

@Suite struct RequestDecoderTests {
    /// What a decoder makes of some bytes.
    struct Reading: Equatable {
        /// Whole requests, each in words.
        var requests: [String] = []
        /// Of the one that is not whole.
        var unfinished = ""
        var isRefused = false
        /// The last request ends its connection, or asks for another protocol: what comes behind it is no matter of HTTP.
        var hasEnded = false

        mutating func add(_ head: HTTPRequestHead) {
            let version = head.version == .http1_1 ? "" : " \(head.version)"
            unfinished =
                "\(head.method.rawValue) \(head.uri)\(version)"
                + head.headers.map { " \($0.name)=\($0.value.trimming)" }.joined() + " |"
        }

        /// Byte by byte, as a character may be split.
        mutating func add(_ bytes: ByteBuffer) {
            for byte in bytes.readableBytesView { unfinished.unicodeScalars.append(Unicode.Scalar(byte)) }
        }

        mutating func end() {
            requests.append(unfinished)
            unfinished = ""
        }
    }

    static func read(_ pieces: [some Collection<UInt8>], limits: ConnectionLimits = ConnectionLimits()) -> Reading {
        var decoder = RequestDecoder(limits: limits)
        var (reading, rest, keepsConnection) = (Reading(), ByteBuffer(), true)
        do {
            for piece in pieces {
                rest.writeBytes(piece)
                while !reading.hasEnded, let part = try decoder.next(from: &rest) {
                    switch part {
                    case .head(let head, let framing):
                        reading.add(head)
                        keepsConnection = framing.keepsConnection
                        #expect(!framing.isAmbiguous)
                    case .body(let bytes):
                        #expect(bytes.readableBytes > 0)
                        reading.add(bytes)
                    case .end:
                        reading.end()
                        reading.hasEnded = !keepsConnection
                    }
                }
            }
        } catch {
            reading.isRefused = true
            #expect(throws: RequestDecoder.Malformed.self, "it reads nothing more") { try decoder.next(from: &rest) }
        }
        return reading
    }

    /// What NIO's decoder, which is llhttp's, makes of them.
    static func readByNIO(_ bytes: [UInt8]) -> Reading {
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(HTTPRequestDecoder()))
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        var (reading, keepsConnection) = (Reading(), true)
        do { try channel.writeInbound(ByteBuffer(bytes: bytes)) } catch { reading.isRefused = true }
        while !reading.hasEnded, let part = try? channel.readInbound(as: HTTPServerRequestPart.self) {
            switch part {
            case .head(let head):
                reading.add(head)
                keepsConnection =
                    head.isKeepAlive && head.version == .http1_1 && head.method != .CONNECT
                    && !head.headers.contains(name: "upgrade")
            case .body(let bytes): reading.add(bytes)
            case .end:
                reading.end()
                reading.hasEnded = !keepsConnection
            }
        }
        return reading
    }

    private static let accepted: [(String, String)] = [
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / Host=x |"),
        ("\r\n\r\nGET /a?b=%20#c HTTP/1.1\r\nhost:\r\n\r\n", "GET /a?b=%20#c host= |"),
        ("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "OPTIONS * Host=x |"),
        ("GET http://x/y HTTP/1.1\r\nHost: x\r\n\r\n", "GET http://x/y Host=x |"),
        ("CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n", "CONNECT x:443 Host=x:443 |"),
        (
            "GET /!\"$&'()*+,-.;<=>@[\\]^_`{|}~ HTTP/1.1\r\nHost: x\r\nX: é\t~\r\n\r\n",
            "GET /!\"$&'()*+,-.;<=>@[\\]^_`{|}~ Host=x X=é\t~ |"
        ),
        ("HEAD / HTTP/1.0\r\n\r\n", "HEAD / HTTP/1.0 |"),
        ("POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi", "POST / HTTP/1.0 Content-Length=2 |hi"),
        (
            "POST / HTTP/1.1\r\nHost:x\r\ncontent-LENGTH:\t 0005\r\n\r\nhello",
            "POST / Host=x content-LENGTH=0005 |hello"
        ),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "POST / Host=x Content-Length=0 |"),
        (
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: ChunKed\r\n\r\n3;a=\"b;c\"\r\none\r\n00A\r\n0123456789\r\n0\r\nT: u \r\nV:\r\n\r\n",
            "POST / Host=x Transfer-Encoding=ChunKed |one0123456789"
        ),
        (
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST / Host=x Transfer-Encoding=chunked |"
        ),
        (
            "!#$%&'*+-.^_`|~09azAZ / HTTP/1.1\r\nHost: x\r\n!#$%&'*+-.^_`|~09azAZ: \"(),/:;<=>?@[\\]{}\"\r\n\r\n",
            "!#$%&'*+-.^_`|~09azAZ / Host=x !#$%&'*+-.^_`|~09azAZ=\"(),/:;<=>?@[\\]{}\" |"
        ),
        (
            "GET / HTTP/1.1\r\nHost: x\r\nConnection: close, keep-alive\r\nUpgrade: y\r\n\r\n",
            "GET / Host=x Connection=close, keep-alive Upgrade=y |"
        ),
    ]

    @Test(arguments: accepted) func `A request is read, wherever it is split`(_ text: String, _ expected: String) {
        let bytes = Array(text.utf8)
        let whole = Self.read([bytes])
        #expect(whole.requests == [expected] && whole.unfinished == "" && !whole.isRefused)
        #expect(Self.read(bytes.map { [$0] }) == whole)
        var random = SplitMix64(seed: 7)
        for _ in 0..<100 { #expect(Self.read(Fuzz.pieces(of: bytes, lengths: 0...20, &random)) == whole) }
    }

    @Test func `Requests follow one another, and nothing of one is in the next`() {
        let pipelined = Self.accepted.filter {
            !$0.0.contains("HTTP/1.0") && !$0.0.contains("close") && !$0.0.contains("CONNECT")
        }
        let reading = Self.read([Array(pipelined.map(\.0).joined().utf8)])
        #expect(reading.requests == pipelined.map(\.1) && !reading.isRefused)
        #expect(Self.read([Array("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhell".utf8)]).requests == [])
        #expect(Self.read([Array("GET / HTTP/1.1\r\nHost: x\r\n".utf8)]).requests == [])
    }

    private static let post = "POST / HTTP/1.1\r\nHost: x\r\n"
    private static let chunked = post + "Transfer-Encoding: chunked\r\n\r\n"

    private static let refused: [String] = [
        // The request line
        " GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /  HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1 \r\nHost: x\r\n\r\n",
        "GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n", "GET /\tx HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /\u{c} HTTP/1.1\r\nHost: x\r\n\r\n", "GET /é HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /\u{7f} HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /\u{0} HTTP/1.1\r\nHost: x\r\n\r\n", "GET  HTTP/1.1\r\nHost: x\r\n\r\n", "GET HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET x HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET ?x HTTP/1.1\r\nHost: x\r\n\r\n", "GET ** HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET x:/y HTTP/1.1\r\nHost: x\r\n\r\n", "GET ://y HTTP/1.1\r\nHost: x\r\n\r\n",
        "G\u{0}T / HTTP/1.1\r\nHost: x\r\n\r\n", "G(T / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GÉT / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /\r\n\r\n", "GET / \r\n\r\n", "GET / HTTP/0.9\r\n\r\n", "GET / HTTP/1.2\r\nHost: x\r\n\r\n",
        "GET / HTTP/2.0\r\nHost: x\r\n\r\n", "GET / HTTP/1.01\r\nHost: x\r\n\r\n",
        "GET / http/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1,1\r\nHost: x\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "\r\rGET / HTTP/1.1\r\nHost: x\r\n\r\n", "\u{16}\u{3}\u{1}", "\u{0}",
        // Line ends
        "GET / HTTP/1.1\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\n",
        "GET / HTTP/1.1\r\nHost: x\r\r\n\r\n",
        "GET / HTTP/1.1\rHost: x\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\rX",
        // Fields
        post + " X: y\r\n\r\n", post + "\tX: y\r\n\r\n", post + "X: y\r\n z\r\n\r\n", post + "X : y\r\n\r\n",
        post + "X\t: y\r\n\r\n", post + ": y\r\n\r\n", post + "X\r\n\r\n",
        post + "X\u{0}: y\r\n\r\n", post + "X(: y\r\n\r\n", post + "É: y\r\n\r\n", post + "X: a\u{0}b\r\n\r\n",
        post + "X: a\rb\r\n\r\n", post + "X: a\u{1}\r\n\r\n", post + "X: a\u{7f}\r\n\r\n",
        post + "X: 0123456789012345678\u{b}90123456789\r\n\r\n", "GET / HTTP/1.1\r\n X: y\r\nHost: x\r\n\r\n",
        // Framing
        "GET / HTTP/1.1\r\n\r\n", post + "Host: x\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
        post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", post + "Content-Length: 5, 5\r\n\r\nhello",
        post + "Content-Length:\r\n\r\n", post + "Content-Length: +5\r\n\r\nhello",
        post + "Content-Length: -1\r\n\r\n", post + "Content-Length: 0x5\r\n\r\nhello",
        post + "Content-Length: 5 \r\n\r\nhello", post + "Content-Length: 5\t\r\n\r\nhello",
        post + "Content-Length: 5;\r\n\r\nhello", post + "Content-Length: 99999999999999999999\r\n\r\n",
        post + "Content-Length: ٥\r\n\r\nhello",
        post + "Transfer-Encoding: gzip\r\n\r\n", post + "Transfer-Encoding: gzip, chunked\r\n\r\n",
        post + "Transfer-Encoding: chunked, chunked\r\n\r\n", post + "Transfer-Encoding: chunked \r\n\r\n",
        post + "Transfer-Encoding:\r\n\r\n", post + "Transfer-Encoding: identity\r\n\r\n",
        post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
        // Chunks
        chunked + "\r\n", chunked + "g\r\n", chunked + "-1\r\n", chunked + "+1\r\n", chunked + "0x1\r\n",
        chunked + " 1\r\n", chunked + "1 \r\n", chunked + "1 ;x\r\n", chunked + "1\n", chunked + "1;x\n",
        chunked + "1;\u{0}\r\n", chunked + "1;x\ry\r\n", chunked + "1\r\nab", chunked + "1\r\na\n",
        chunked + "1\r\na\rb", chunked + "1000000000000000\r\n", chunked + "0000000000000001\r\n",
        chunked + "0\r\nX\r\n\r\n", chunked + "0\r\n X: y\r\n\r\n", chunked + "0\r\nX : y\r\n\r\n",
        chunked + "0\r\nX: y\n\r\n", chunked + "0\r\n\n",
    ]

    @Test(arguments: refused) func `What could be read in two ways is not read`(_ text: String) {
        let bytes = Array(text.utf8)
        let whole = Self.read([bytes])
        #expect(whole.isRefused && whole.requests == [])
        #expect(Self.read(bytes.map { [$0] }) == whole)
        #expect(Self.read([bytes + Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8)]).requests == [])
    }

    @Test(arguments: [
        (4096, 32, 64), (100, 60, 3),
    ]) func `A head has bounds, to the byte`(headers: Int, field: Int, count: Int) {
        var limits = ConnectionLimits()
        (limits.headers, limits.headerField, limits.headerCount) = (headers, field, count)
        func isRefused(_ text: String) -> Bool {
            let whole = Self.read([Array(text.utf8)], limits: limits)
            #expect(Self.read(text.utf8.map { [$0] }, limits: limits) == whole)
            return whole.isRefused
        }
        let head = "GET / HTTP/1.1\r\nHost: x\r\n"
        // The line end counts.
        let longest = "X: " + String(repeating: "y", count: field - 5) + "\r\n"
        #expect(
            !isRefused(head + longest) && isRefused(head + "X" + longest)
                && isRefused(head + String(longest.dropLast()) + "yyy"))
        #expect(isRefused("GET /" + String(repeating: "y", count: field) + " HTTP/1.1"))
        let most = String(repeating: "X:\r\n", count: count - 1)
        #expect(!isRefused(head + most + "\r\n") && isRefused(head + most + "X:\r\n\r\n"))
        let lines = (headers - head.utf8.count) / field
        #expect(isRefused(head + String(repeating: longest, count: lines + 1) + "\r\n"))
        #expect(isRefused(String(repeating: "\r\n", count: headers / 2 + 1)))
        let trailers = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
        if count > 3 {
            #expect(!isRefused(trailers + String(repeating: "X:\r\n", count: count - 2) + "\r\n"))
            #expect(isRefused(trailers + String(repeating: "X:\r\n", count: count - 1) + "\r\n"))
        }
    }

    @Test func `A chunk's extension has one, too`() {
        let post = Self.chunked + "1;" + String(repeating: "x", count: 4092)
        #expect(!Self.read([Array((post + "\r\na").utf8)]).isRefused)
        #expect(
            Self.read([Array((post + "x\r\n").utf8)]).isRefused && Self.read([Array((post + "xxx").utf8)]).isRefused)
    }

    @Test func `Of a request that only ends in doubt the head is known`() throws {
        var decoder = RequestDecoder(limits: ConnectionLimits())
        var bytes = ByteBuffer(string: "GET /x HTTP/1.1\r\nX-Request-ID: 1\r\n\r\n")
        let error = try #require(throws: RequestDecoder.Malformed.self) { try decoder.next(from: &bytes) }
        #expect(error.head?.uri == "/x" && error.head?.headers["x-request-id"] == ["1"])
    }

    @Test(
        arguments: [
            ("", true, false, 0), ("Connection: keep-alive\r\n", true, false, 0),
            ("Connection: Close\r\n", false, false, 0), ("Connection: te , CLOSE\t\r\n", false, false, 0),
            ("Connection: keep-alive\r\nConnection: ,close,\r\n", false, false, 0),
            ("Connection: closed, xclose\r\n", true, false, 0), ("Connection:\r\n", true, false, 0),
            ("Upgrade: h2c\r\n", false, false, 0), ("Expect: 100-Continue \r\nContent-Length: 12\r\n", true, true, 12),
            ("Expect: 200-ok\r\nExpect: 100-continue\r\n", true, false, 0),
            ("Transfer-Encoding: chunked\r\n", true, false, nil),
        ] as [(String, Bool, Bool, Int?)])
    func `The head says what follows it`(fields: String, keepsConnection: Bool, expectsContinue: Bool, length: Int?)
        throws
    {
        for version in ["1.1", "1.0"] where version == "1.1" || length != nil {
            var decoder = RequestDecoder(limits: ConnectionLimits())
            var bytes = ByteBuffer(string: "POST / HTTP/\(version)\r\nHost: x\r\n\(fields)\r\n")
            guard case .head(_, let framing)? = try decoder.next(from: &bytes) else { throw RequestDecoder.Malformed() }
            let isNew = version == "1.1"
            #expect(
                framing.keepsConnection == (keepsConnection && isNew)
                    && framing.expectsContinue == (expectsContinue && isNew) && framing.length == length)
        }
    }

    /// What llhttp takes and we do not, and the other way round: each on purpose (docs/decisions/0003).
    @Test(arguments: [
        ("GET  / HTTP/1.1\r\nHost: x\r\n\r\n", true, false), ("\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", true, false),
        ("GET ** HTTP/1.1\r\nHost: x\r\n\r\n", true, false), ("GET /  HTTP/1.1\r\nHost: x\r\n\r\n", true, false),
        (chunked + "0000000000000001\r\na\r\n0\r\n\r\n", true, false),
        ("FROB / HTTP/1.1\r\nHost: x\r\n\r\n", false, true), ("get / HTTP/1.1\r\nHost: x\r\n\r\n", false, true),
        (chunked + "0;=;\r\n\r\n", false, true),
    ]) func `Where NIO's decoder differs, it is known`(text: String, isTakenByNIO: Bool, isTaken: Bool) {
        #expect(Self.readByNIO(Array(text.utf8)).requests.isEmpty != isTakenByNIO)
        #expect(Self.read([Array(text.utf8)]).requests.isEmpty != isTaken)
    }

    private static let pieces = [
        "\r\n", "\n", "\r", "\r\n\r\n", ":", " ", "\t", "HTTP/1.1", "HTTP/2.0", "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n", "Host: y\r\n", "0\r\n\r\n", "ffffffff",
        "Connection: close\r\n", "Upgrade: x\r\n", "\u{0}", "é", ";", "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ]

    /// Of which NIO's decoder takes the same: the target of a CONNECT, which is refused in any case, it looks at more closely.
    private static let methods = ["GET", "POST", "HEAD", "OPTIONS"]

    @Test(arguments: Fuzz.seeds(200))
    func `Damaged bytes are never read as requests that another decoder sees otherwise`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for _ in 0..<5 {
            let text = (0..<Int.random(in: 1...4, using: &random)).map { _ in
                Self.accepted.randomElement(using: &random)?.0 ?? ""
            }.joined()
            let bytes = Fuzz.damage(Array(text.utf8), with: Self.pieces, &random)
            let whole = Self.read([bytes])
            #expect(
                Self.read(Fuzz.pieces(of: bytes, &random)) == whole,
                "split: \(String(decoding: bytes, as: UTF8.self).debugDescription)")
            let reference = Self.readByNIO(bytes)
            // What only we take, and what comes behind it.
            let strange =
                whole.requests.firstIndex { request in !Self.methods.contains { request.hasPrefix($0 + " ") } }
                ?? whole.requests.count
            var ours: [String] = Array(whole.requests[..<strange])
            if reference.isRefused, text.contains(";") { ours = Array(ours.prefix(reference.requests.count)) }
            let theirs: [String] = Array(reference.requests.prefix(ours.count))
            #expect(ours == theirs, "\(String(decoding: bytes, as: UTF8.self).debugDescription)")
        }
    }
}

extension String {
    /// NIO's decoder leaves the blanks behind a value.
    fileprivate var trimming: String { String(self[...].trimmingBlanks()) }
}
