/// Compares what a second upstream says with what the client has been told, unit by unit of the decoded text: `\u00e9` and `é` are the same, and a character that
/// comes in two pieces is none until both are there.
struct TextComparison: Sendable {
    enum Step: Equatable, Sendable {
        /// All of it has been told already, and there is more to come.
        case more
        /// All that was told has come once more; this, escaped, goes on.
        case covered(rest: [UInt8])
        /// It is another text.
        case diverged
    }

    /// What is left to come, in its parts.
    private var phases: [Phase]
    private let isContinuing: Bool

    private enum Phase: Sendable {
        /// Has to come.
        case repeats([UInt16], matched: Int)
        /// May come as a whole, or not at all. So many units of it are no chance any more.
        case mayRepeat([UInt16], matched: Int, chance: Int)

        var isEmpty: Bool {
            switch self {
            case .repeats(let text, _), .mayRepeat(let text, _, _): text.isEmpty
            }
        }
    }

    /// The whole answer is told once more.
    init(repeating sent: SentText) {
        phases = [.repeats(JSONString.units(sent.escaped[...]), matched: 0)]
        phases.removeAll(where: \.isEmpty)
        isContinuing = false
    }

    /// A whole text that long is not repeated by chance.
    static let longText = 16
    /// Nor is so long a beginning of one.
    static let longBeginning = 32

    /// The model goes on behind the text, without the blanks at its end.
    ///
    /// Some models repeat the text first, and others begin a new answer, which may be the same: a short text may be repeated because it is a refrain, a long one is not.
    ///
    /// - Parameter echoes: the model is known to repeat the text.
    init(continuing sent: SentText, echoes: Bool) {
        let (text, blanks) = sent.split
        isContinuing = true
        let mayRepeat = echoes || text.count >= Self.longText
        phases =
            (mayRepeat
                ? [.mayRepeat(text, matched: 0, chance: text.count < Self.longText ? .max : Self.longBeginning)] : [])
            + [
                .repeats(blanks, matched: 0)
            ]
        phases.removeAll(where: \.isEmpty)
    }

    var isOver: Bool { phases.isEmpty }

    mutating func take(_ escaped: ArraySlice<UInt8>) -> Step {
        var units = JSONString.units(escaped)[...]
        while let phase = phases.first, !units.isEmpty {
            switch phase {
            case .repeats(let text, let matched):
                let count = min(units.count, text.count - matched)
                guard units.prefix(count) == text[matched..<matched + count] else { return .diverged }
                units = units.dropFirst(count)
                advance(to: .repeats(text, matched: matched + count), isOver: matched + count == text.count)
            case .mayRepeat(let text, let matched, let chance):
                let common = zip(units, text[matched...]).prefix { $0 == $1 }.count
                if common == units.count || matched + common == text.count {
                    units = units.dropFirst(common)
                    advance(
                        to: .mayRepeat(text, matched: matched + common, chance: chance),
                        isOver: matched + common == text.count)
                } else {
                    // It has begun anew, and said something else.
                    guard matched + common < chance else { return .diverged }
                    // No repetition after all: what looked like one goes on.
                    units = text[..<matched] + units
                    phases.removeFirst()
                }
            }
        }
        return phases.isEmpty ? .covered(rest: JSONString.escaped(units)) : .more
    }

    /// The second answer ends here.
    ///
    /// - Returns: what goes on, escaped; nil when it has not told all that was told before.
    mutating func end() -> [UInt8]? {
        var rest: [UInt8] = []
        if case .mayRepeat(let text, let matched, let chance)? = phases.first {
            guard matched < chance else { return nil }
            // What was held for a repetition was none.
            phases.removeFirst()
            switch take(JSONString.escaped(text[..<matched])[...]) {
            case .more: break
            case .covered(let more): rest = more
            case .diverged: return nil
            }
        }
        // Blanks at the end need not come once more where nothing else comes.
        guard phases.isEmpty || isContinuing else { return nil }
        phases = []
        return rest
    }

    private mutating func advance(to phase: Phase, isOver: Bool) {
        if isOver { phases.removeFirst() } else { phases[0] = phase }
    }
}

extension SentText {
    fileprivate static func isBlank(_ unit: UInt16) -> Bool {
        unit == 0x20 || unit == 0x0A || unit == 0x09 || unit == 0x0D
    }

    /// The text as a model can go on with it, and the blanks at its end, which some models refuse there and others repeat. A character of which only a half has been
    /// told counts among the latter.
    fileprivate var split: (text: [UInt16], blanks: [UInt16]) {
        let units = JSONString.units(escaped[...])
        var end = units.endIndex
        if let last = units.last, UTF16.isLeadSurrogate(last) { end -= 1 }
        while end > 0, Self.isBlank(units[end - 1]) { end -= 1 }
        return (Array(units[..<end]), Array(units[end...]))
    }

    /// The text that a model goes on with, escaped.
    var prefill: [UInt8] { JSONString.escaped(split.text[...]) }

    /// What a model goes on with could be taken for a repetition, or for a new answer: there are only blanks, or the text repeats itself.
    var isAmbiguous: Bool {
        let text = split.text
        return text.isEmpty || text.count >= TextComparison.longText && text.hasShortPeriod
    }

    /// Tokens that it may have been: four bytes each, as everywhere where nobody counts.
    var tokens: Int { (JSONString.decode(escaped[...]).utf8.count + 3) / 4 }
}

extension [UInt16] {
    /// It is a beginning repeated twice or more, if only in part.
    fileprivate var hasShortPeriod: Bool {
        // The longest beginning that is an end, too, for each length (Knuth, Morris and Pratt).
        var borders = [Int](repeating: 0, count: count)
        for index in indices.dropFirst() {
            var border = borders[index - 1]
            while border > 0, self[border] != self[index] { border = borders[border - 1] }
            borders[index] = self[border] == self[index] ? border + 1 : border
        }
        return (borders.last ?? 0) * 2 >= count
    }
}
