/// The pieces of a budget or a price as people write it.
enum AmountWord: Equatable {
    case number(DecimalNumber, String)
    /// Letters, in lower case; or something that looks like a number and is none.
    case word(String)
    /// Anything else, but no space.
    case sign(Character)

    /// As an error shows it.
    var text: String {
        switch self {
        case .number(_, let text), .word(let text): text
        case .sign(let sign): String(sign)
        }
    }

    static func words(of text: some StringProtocol) -> [AmountWord] {
        var words: [AmountWord] = []
        var rest = text[...]
        while let first = rest.first {
            if first.isWhitespace {
                rest = rest.dropFirst()
            } else if isNumeric(first) {
                let digits = rest.prefix(while: isNumeric)
                words.append(DecimalNumber(digits).map { .number($0, String(digits)) } ?? .word(String(digits)))
                rest = rest[digits.endIndex...]
            } else if first.isLetter {
                let letters = rest.prefix { $0.isLetter }
                words.append(.word(letters.lowercased()))
                rest = rest[letters.endIndex...]
            } else {
                words.append(.sign(first))
                rest = rest.dropFirst()
            }
        }
        return words
    }

    private static func isNumeric(_ character: Character) -> Bool {
        ("0"..."9").contains(character) || character == "." || character == "_"
    }

    /// What `k` and `M` behind a number mean.
    static func factor(_ word: String) -> Int64? {
        switch word {
        case "k", "thousand": 1_000
        case "m", "mio", "million": 1_000_000
        case "b", "bn", "g", "billion": 1_000_000_000
        default: nil
        }
    }
}

/// What readers of budgets and prices do with the words that are left.
extension ArraySlice<AmountWord> {
    /// Passes over one of these words.
    ///
    /// - Returns: whether it was there.
    mutating func take(word accepted: Set<String>) -> Bool {
        guard case .word(let word) = first, accepted.contains(word) else { return false }
        removeFirst()
        return true
    }

    mutating func take(sign: Character) -> Bool {
        guard first == .sign(sign) else { return false }
        removeFirst()
        return true
    }

    mutating func takeCurrency() -> Bool { take(sign: "$") || take(word: ["usd", "dollar", "dollars"]) }
}
