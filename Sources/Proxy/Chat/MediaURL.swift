import ProxyRouting

/// Where a medium's bytes are: in a data URI, or on a web server.
///
/// Only the head of a data URI is looked at; the megabytes behind it stay a slice of the body.
struct MediaURL: Sendable {
    /// What precedes `rest`: `data:image/png;base64,`, or nothing for a remote URL. Needs no escapes in JSON.
    let head: String
    /// The rest as it stands in the body, escapes included.
    let rest: ArraySlice<UInt8>
    /// In lower case and without parameters; nil for a remote URL.
    let mediaType: String?

    /// A longer head than this is not a media type.
    private static let longestHead = 256

    /// Data that came without a URI around it.
    init(base64: ArraySlice<UInt8>, type: String) {
        head = "data:\(type);base64,"
        rest = base64
        mediaType = type
    }

    /// Nil unless `value` has the form `data:type/subtype;base64,data`.
    init?(dataURI value: JSONValue) {
        guard value.hasPrefix("data:"), let text = value.rawString,
            let comma = text.prefix(Self.longestHead).firstIndex(of: UInt8(ascii: ",")), comma + 1 < text.endIndex
        else { return nil }
        // Some JSON writers escape the slash, so the head is decoded; the data may keep its escapes.
        let parameters = JSONString.decode(text[..<comma]).lowercased().dropFirst("data:".count).split(separator: ";")
        guard parameters.count >= 2, parameters.last == "base64", let type = parameters.first,
            type.split(separator: "/", omittingEmptySubsequences: false).count == 2, !type.hasPrefix("/"),
            !type.hasSuffix("/"),
            type.utf8.allSatisfy({ $0.isMediaTypeByte || $0 == UInt8(ascii: "/") })
        else { return nil }
        // No registered type, and refused by some models, but what people write.
        self.init(base64: text[(comma + 1)...], type: type == "image/jpg" ? "image/jpeg" : String(type))
    }

    /// - Throws: `Failure` 400 for a string that is neither a base64 data URI nor an http(s) URL.
    init(_ field: RequestField) throws(Failure) {
        let text = try field.rawString()
        if let url = MediaURL(dataURI: field.value) {
            self = url
            return
        }
        guard field.value.hasPrefix("http://") || field.value.hasPrefix("https://") else {
            throw field.invalid("must be a data URI in base64 (data:image/png;base64,...) or an http(s) URL.")
        }
        head = ""
        rest = text
        mediaType = nil
    }
}

extension JSONValue {
    /// Whether this is a string that begins with the ASCII text `prefix`, in any case, however its writer escaped it.
    func hasPrefix(_ prefix: StaticString) -> Bool {
        guard let text = rawString else { return false }
        // An escape takes at most six bytes for one.
        let head = text.prefix(prefix.utf8CodeUnitCount * 6)
        let plain = head.contains(UInt8(ascii: "\\")) ? Array(JSONString.decode(head).utf8)[...] : head
        return plain.count >= prefix.utf8CodeUnitCount
            && zip(plain, prefix.utf8).allSatisfy { $0 == $1 || $0 | 0x20 == $1 && $1.isASCIILetter }
    }
}

extension UInt8 {
    fileprivate var isASCIILetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) }

    /// Letters, digits and the few signs of a media type's halves.
    var isMediaTypeByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"),
            UInt8(ascii: "-"),
            UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
