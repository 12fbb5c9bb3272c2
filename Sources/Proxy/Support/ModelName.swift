/// What is true of the names of all models.
enum ModelName {
    /// Bytes that a name may have, with all its prefixes. Real ones have less than a hundred; a longer one is refused before anything
    /// looks at it, and is not listed, since nobody could ask for it.
    static let longest = 256

    static func isShortEnough(_ name: String) -> Bool { name.utf8.count <= longest }

    /// Some clients mark a model so for its long window.
    private static let window = "[1m]"

    static func withoutWindow(_ name: String) -> String {
        name.hasSuffix(window) ? String(name.dropLast(window.count)) : name
    }

    /// The same for a name as it stands in JSON.
    static func withoutWindow(_ name: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        name.suffix(window.utf8.count).elementsEqual(window.utf8) ? name.dropLast(window.utf8.count) : name
    }
}
