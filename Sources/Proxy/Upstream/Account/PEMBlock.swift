/// One armoured block of a PEM text (RFC 7468), and how to find the private key among whatever surrounds it.
struct PEMBlock: Equatable {
    /// What stands after `BEGIN`: 1 to 40 of `A-Z`, `0-9` and the space. So a message may show it: a file whose BEGIN
    /// line is broken cannot smuggle its key into a label.
    let label: String
    /// The block as OpenSSL reads it: no blanks, no empty lines, 64 characters a line. Nil when it has no END line or
    /// holds what is neither base64 nor a header.
    let text: [UInt8]?

    var isPrivateKey: Bool { label.hasSuffix("PRIVATE KEY") }

    /// The first private key of a text, else its first block; nil when there is no block. A byte order mark, a text before
    /// and a label line after the block (`OCI_API_KEY`), indentation and any line ends do not matter.
    static func find(in text: [UInt8]) -> PEMBlock? {
        var first: PEMBlock?
        var rest = text[...]
        while let begin = rest.firstRange(of: Self.begin) {
            rest = rest[begin.upperBound...]
            guard let label = label(of: rest) else { continue }
            rest = rest.dropFirst(label.utf8.count + Self.dashes.count)
            let end = rest.firstRange(of: Self.end + Array(label.utf8) + Self.dashes)
            let block = PEMBlock(label: label, text: end.flatMap { normalised(label, rest[..<$0.lowerBound]) })
            if block.isPrivateKey { return block }
            first = first ?? block
            if let end { rest = rest[end.upperBound...] }
        }
        return first
    }

    private static let begin = Array("-----BEGIN ".utf8)
    private static let end = Array("-----END ".utf8)
    private static let dashes = Array("-----".utf8)

    private static func label(of rest: ArraySlice<UInt8>) -> String? {
        let label = rest.prefix(41).prefix { byte in
            (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || byte == UInt8(ascii: " ")
        }
        guard (1...40).contains(label.count), rest.dropFirst(label.count).starts(with: dashes) else { return nil }
        return String(decoding: label, as: UTF8.self)
    }

    /// OpenSSL wants lines without indentation and of at most 254 characters; editors and consoles make others.
    private static func normalised(_ label: String, _ body: ArraySlice<UInt8>) -> [UInt8]? {
        var headers: [UInt8] = []
        var base64: [UInt8] = []
        for line in body.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
            if line.contains(UInt8(ascii: ":")) {
                // `Proc-Type: 4,ENCRYPTED` and `DEK-Info: ...` of an encrypted PKCS#1 key; they stand before the base64.
                guard base64.isEmpty else { return nil }
                headers += line.drop(while: isBlank)
                while let last = headers.last, isBlank(last) { headers.removeLast() }
                headers.append(0x0A)
                continue
            }
            for byte in line where !isBlank(byte) {
                guard isBase64(byte) else { return nil }
                base64.append(byte)
            }
        }
        var text = Self.begin + Array(label.utf8) + dashes + [0x0A] + headers
        if !headers.isEmpty { text.append(0x0A) }
        var lines = base64[...]
        while !lines.isEmpty {
            text += lines.prefix(64)
            text.append(0x0A)
            lines = lines.dropFirst(64)
        }
        return text + Self.end + Array(label.utf8) + dashes + [0x0A]
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    private static func isBase64(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="):
            true
        default: false
        }
    }
}
