/// What the proxy takes for the identity of an account, so that an import writes nothing that it refuses.
enum IdentityText {
    /// Letters, digits and `._-`, as OCIDs are.
    static func isIdentifier(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 255
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) || "._-".utf8.contains($0)
            }
    }

    /// 16 pairs of hex digits with colons between them.
    static func isFingerprint(_ text: String) -> Bool {
        let pairs = text.split(separator: ":", omittingEmptySubsequences: false)
        return pairs.count == 16
            && pairs.allSatisfy { pair in
                pair.utf8.count == 2
                    && pair.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0 | 0x20) }
            }
    }

    /// `us-chicago-1`, or a short key.
    static func isRegion(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        let isWord = { (part: Substring) in
            !part.isEmpty && part.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) }
        }
        return parts.allSatisfy(isWord)
            && (parts.count == 3 || parts.count == 4 || (parts.count == 1 && text.utf8.count == 3))
    }

    /// What a model may be called behind the sign of `[MODELS]`.
    static func isModelTarget(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 255
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) || "._-:/@".utf8.contains($0)
            }
    }
}
