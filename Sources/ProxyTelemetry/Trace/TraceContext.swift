/// What one service tells the next about the trace it works for: the headers `traceparent` and `tracestate` of the W3C.
package struct TraceContext: Hashable, Sendable {
    package var traceID: TraceID
    /// The sender's span.
    package var spanID: SpanID
    package var flags: TraceFlags
    /// What tracing systems say to each other, as it came; nil when there is nothing, or nothing that may be sent on.
    package var state: String?

    package init(traceID: TraceID, spanID: SpanID, flags: TraceFlags, state: String? = nil) {
        self.traceID = traceID
        self.spanID = spanID
        self.flags = flags
        self.state = state
    }
}

/// The last field of `traceparent`.
package struct TraceFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The sender may have recorded its span.
    package static let sampled = TraceFlags(rawValue: 0x01)
    /// The lower 7 bytes of the trace's id are random (level 2 of the W3C's document).
    package static let random = TraceFlags(rawValue: 0x02)
}

// MARK: Reading

extension TraceContext {
    /// What the headers say; nil when `traceparent` is malformed, and then a new trace begins.
    ///
    /// Of a version above 00 what is known is read, and it may be longer. A `tracestate` that is not fit to be sent on is
    /// left away, which does not touch the rest.
    ///
    /// - Parameters:
    ///   - traceparent: the value of the one header. A request with two of them has none.
    ///   - tracestate: the value; several headers are joined with commas.
    package init?(traceparent: String, tracestate: String? = nil) {
        let length = traceparent.utf8.count
        guard length >= Self.length, length <= Self.longest else { return nil }
        let bytes = Array(traceparent.utf8)
        guard let version = HexDigits.value(of: bytes[0..<2]), version != 0xFF,
            version == 0 ? length == Self.length : length == Self.length || bytes[Self.length] == Self.dash,
            bytes[2] == Self.dash, bytes[35] == Self.dash, bytes[52] == Self.dash,
            let high = HexDigits.value(of: bytes[3..<19]), let low = HexDigits.value(of: bytes[19..<35]),
            let traceID = TraceID(high: high, low: low),
            let spanID = HexDigits.value(of: bytes[36..<52]).flatMap({ SpanID($0) }),
            let flags = HexDigits.value(of: bytes[53..<55])
        else { return nil }
        self.traceID = traceID
        self.spanID = spanID
        // What the other bits mean, and in later versions the second one, nobody knows yet.
        let known: TraceFlags = version == 0 ? [.sampled, .random] : [.sampled]
        self.flags = TraceFlags(rawValue: UInt8(flags)).intersection(known)
        state = tracestate.flatMap { Self.state($0) }
    }

    /// Bytes of a `traceparent` of version 00.
    private static let length = 55
    /// Bytes that a later version is read with: nobody needs more, and it comes from strangers.
    private static let longest = 512
    private static let dash = UInt8(ascii: "-")

    /// A `tracestate` as it came, without blanks around it, if it is fit to be sent on: at most 512 bytes of visible
    /// ASCII, blanks and tabs, and 32 members with a `=` in each.
    private static func state(_ text: String) -> String? {
        guard text.utf8.count <= 512,
            text.utf8.allSatisfy({ ($0 >= 0x20 && $0 < 0x7F) || $0 == UInt8(ascii: "\t") })
        else { return nil }
        var members = 0
        for member in text.utf8.split(separator: UInt8(ascii: ",")) {
            let content = member.drop { isBlank($0) }
            guard let first = content.first else { continue }
            guard first != UInt8(ascii: "="), content.contains(UInt8(ascii: "=")) else { return nil }
            members += 1
        }
        guard members > 0, members <= 32 else { return nil }
        var rest = Substring(text)
        while let first = rest.utf8.first, isBlank(first) { rest.removeFirst() }
        while let last = rest.utf8.last, isBlank(last) { rest.removeLast() }
        return String(rest)
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
}

// MARK: Writing

extension TraceContext {
    /// The header's value, always of version 00.
    package var traceparent: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.length)
        HexDigits.append(UInt8(0), to: &bytes)
        bytes.append(Self.dash)
        HexDigits.append(traceID.high, to: &bytes)
        HexDigits.append(traceID.low, to: &bytes)
        bytes.append(Self.dash)
        HexDigits.append(spanID.value, to: &bytes)
        bytes.append(Self.dash)
        HexDigits.append(flags.rawValue, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
