import NIOHTTP1

/// Where a request ends and what becomes of its connection, as its header fields say; noticed while they are read, so that nobody has to
/// look for them again.
struct Framing: Equatable {
    /// Bytes of the body; nil when it comes in chunks.
    private(set) var length: Int? = 0
    /// The client waits for a word before it sends the body.
    private(set) var expectsContinue = false
    /// The connection may carry another request after this one.
    private(set) var keepsConnection = false
    /// Two parsers could disagree about where this request ends, or about whom it is for (RFC 9112, 6.1 and 3.2): such a
    /// request is how one user's request is smuggled into another's connection.
    private(set) var isAmbiguous = false

    private var lengths = 0
    private var codings = 0
    private var hosts = 0
    private var expectations = 0
    private var saysClose = false
    private var asksForUpgrade = false

    /// The next header field of the head that stands in `text`.
    ///
    /// - Parameter value: with the blanks at its end.
    mutating func note(_ name: Range<Int>, _ value: Range<Int>, in text: Span<UInt8>) {
        switch name.count {
        case 4 where text.isEqualIgnoringCase(name, to: "host"): hosts += 1
        case 6 where text.isEqualIgnoringCase(name, to: "expect"):
            expectations += 1
            if expectations == 1 {
                expectsContinue = text.isEqualIgnoringCase(text.trimmingEnd(of: value), to: "100-continue")
            }
        case 7 where text.isEqualIgnoringCase(name, to: "upgrade"): asksForUpgrade = true
        case 10 where text.isEqualIgnoringCase(name, to: "connection"): noteConnection(value, in: text)
        case 14 where text.isEqualIgnoringCase(name, to: "content-length"):
            lengths += 1
            length = text.decimal(value)
            // Not even a blank behind it, which some take for a part of it.
            if length == nil { isAmbiguous = true }
        case 17 where text.isEqualIgnoringCase(name, to: "transfer-encoding"):
            codings += 1
            if !text.isEqualIgnoringCase(value, to: "chunked") { isAmbiguous = true }
        default: break
        }
    }

    private mutating func noteConnection(_ value: Range<Int>, in text: Span<UInt8>) {
        var start = value.lowerBound
        for end in value.lowerBound...value.upperBound where end == value.upperBound || text[end] == UInt8(ascii: ",") {
            while start < end, text[start].isBlank { start += 1 }
            if text.isEqualIgnoringCase(text.trimmingEnd(of: start..<end), to: "close") { saysClose = true }
            start = end + 1
        }
    }

    /// The head has been read.
    ///
    /// A connection ends with a request for another protocol: what its sender means by the bytes behind it nobody knows.
    mutating func end(of method: HTTPMethod, isHTTP11: Bool) {
        if lengths + codings > 1 || (codings > 0 && !isHTTP11) || hosts > 1 || (isHTTP11 && hosts == 0) {
            isAmbiguous = true
        }
        if codings > 0 { length = nil }
        expectsContinue = expectsContinue && isHTTP11
        keepsConnection = isHTTP11 && !saysClose && !asksForUpgrade && method != .CONNECT
    }
}

extension HTTPVersion {
    /// HTTP/1.1 or a later one: knows chunked bodies, `100 Continue` and connections that stay open.
    var isAtLeastHTTP11: Bool { major > 1 || (major == 1 && minor >= 1) }
}
