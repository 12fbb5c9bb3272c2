/// An upstream's words without what may be a credential, by bytes.
enum MaskedWords {
    /// Upstreams repeat the key that they refuse, some of them all of it: a word of at least eight characters with a digit or a star among them
    /// becomes `***`. Words of letters alone stay.
    static func withoutKeys(_ message: String) -> String {
        mask(message, with: "***") { text, place in
            let end = text.endOfWord(from: place)
            guard end > place else { return nil }
            let word = text.extracting(place..<end)
            return (end, end - place >= 8 && word.hasDigitOrStar)
        }
    }

    /// A session token travels in the signature's key id, of which a gateway in between may make its error text.
    static func withoutTokens(_ message: String) -> String {
        mask(message, with: "ST$***") { text, place in
            guard text.stands("ST$", at: place) else { return nil }
            let end = text.endOfWord(from: place + 3)
            return (end, end > place + 3)
        }
    }

    /// By bytes: a secret with a combining mark behind it is the same secret.
    ///
    /// - Parameter secret: not empty.
    static func without(_ secret: String, _ message: String) -> String {
        let secret = secret.utf8.span
        return mask(message, with: "***") { text, place in
            guard secret.count <= text.count - place else { return nil }
            for index in secret.indices where secret[index] != text[place + index] { return nil }
            return (place + secret.count, true)
        }
    }

    /// - Parameter find: the end of what begins at a place, and whether it is masked; nil when nothing begins there. No find ends where it begins.
    private static func mask(
        _ message: String, with mask: StaticString, _ find: (Span<UInt8>, Int) -> (end: Int, isMasked: Bool)?
    ) -> String {
        let text = message.utf8.span
        var (kept, place) = (0, 0)
        var masked: [UInt8] = []
        while place < text.count {
            guard let (end, isMasked) = find(text, place) else {
                place += 1
                continue
            }
            if isMasked {
                masked.append(contentsOf: text.extracting(kept..<place))
                masked.append(literal: mask)
                kept = end
            }
            place = end
        }
        guard kept > 0 else { return message }
        masked.append(contentsOf: text.extracting(kept..<text.count))
        return String(decoding: masked, as: UTF8.self)
    }
}

extension Span<UInt8> {
    /// Behind the characters of keys and tokens that stand from `place` on.
    fileprivate func endOfWord(from place: Int) -> Int {
        var end = place
        while let byte = byte(at: end), byte.isOfKey { end += 1 }
        return end
    }

    fileprivate var hasDigitOrStar: Bool {
        for index in indices where (0x30...0x39).contains(self[index]) || self[index] == UInt8(ascii: "*") {
            return true
        }
        return false
    }
}

extension UInt8 {
    fileprivate var isOfKey: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), 0x30...0x39: true
        case UInt8(ascii: "_"), UInt8(ascii: "*"), UInt8(ascii: "."), UInt8(ascii: "-"): true
        default: false
        }
    }
}
