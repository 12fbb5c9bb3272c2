/// What is true of the names of all models.
enum ModelName {
    /// Bytes that a name may have, with all its prefixes. Real ones have less than a hundred; a longer one is refused before anything
    /// looks at it, and is not listed, since nobody could ask for it.
    static let longest = 256

    static func isShortEnough(_ name: String) -> Bool { name.utf8.count <= longest }
}
