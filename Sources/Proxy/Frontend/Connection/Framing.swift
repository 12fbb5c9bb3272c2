import NIOHTTP1

/// What the header fields say about where a request ends.
enum Framing {
    /// Two parsers could disagree about where this request ends, or about whom it is for (RFC 9112, 6.1 and 3.2): such a
    /// request is how one user's request is smuggled into another's connection.
    static func isAmbiguous(_ head: HTTPRequestHead) -> Bool {
        let encodings = head.headers["transfer-encoding"]
        let lengths = head.headers["content-length"]
        if lengths.count > 1 || (!lengths.isEmpty && !encodings.isEmpty) { return true }
        if !encodings.isEmpty {
            guard head.version.isAtLeast1_1, encodings.count == 1, encodings[0].lowercased() == "chunked" else { return true }
        }
        if let length = lengths.first, length.isEmpty || !length.utf8.allSatisfy({ (0x30...0x39).contains($0) }) || Int(length) == nil {
            return true
        }
        let hosts = head.headers["host"]
        return hosts.count > 1 || (head.version.isAtLeast1_1 && hosts.isEmpty)
    }

    /// The request asks for another protocol. NIO's decoder reads nothing after such a request, whether or not it is granted
    /// (`HTTPDecoder.stopParsing`), so the connection has to end with the answer: a next request would be waited for in vain.
    static func endsHTTP(_ head: HTTPRequestHead) -> Bool {
        head.method == .CONNECT || head.headers.contains(name: "upgrade")
    }

    /// The value of `content-length`.
    static func announcedLength(of headers: HTTPHeaders) -> Int? {
        headers.first(name: "content-length").flatMap(Int.init)
    }

    /// The client waits for a word before it sends the body.
    static func expectsContinue(_ headers: HTTPHeaders) -> Bool {
        headers.first(name: "expect")?.lowercased() == "100-continue"
    }
}

extension HTTPVersion {
    /// HTTP/1.1 or a later one: knows chunked bodies, `100 Continue` and connections that stay open.
    var isAtLeast1_1: Bool { major > 1 || (major == 1 && minor >= 1) }
}
