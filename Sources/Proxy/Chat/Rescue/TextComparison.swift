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
        /// May come as a whole, or not at all.
        case mayRepeat([UInt16], matched: Int)

        var isEmpty: Bool {
            switch self {
            case .repeats(let text, _), .mayRepeat(let text, _): text.isEmpty
            }
        }
    }

    /// The whole answer is told once more.
    init(repeating sent: SentText) {
        phases = [.repeats(JSONString.units(sent.escaped[...]), matched: 0)]
        phases.removeAll(where: \.isEmpty)
        isContinuing = false
    }

    /// The model goes on behind the text, without the blanks at its end; some models repeat the text first.
    init(continuing sent: SentText, mayEcho: Bool) {
        let (text, blanks) = sent.split
        isContinuing = true
        phases = (mayEcho ? [.mayRepeat(text, matched: 0)] : []) + [.repeats(blanks, matched: 0)]
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
            case .mayRepeat(let text, let matched):
                let count = min(units.count, text.count - matched)
                if units.prefix(count) == text[matched..<matched + count] {
                    units = units.dropFirst(count)
                    advance(to: .mayRepeat(text, matched: matched + count), isOver: matched + count == text.count)
                } else {
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
        if case .mayRepeat(let text, let matched)? = phases.first {
            // What was held for a repetition was none.
            rest = JSONString.escaped(text[..<matched])
            phases.removeFirst()
        }
        if case .repeats(_, let matched)? = phases.first {
            // Blanks at the end need not come once more where nothing else comes.
            guard isContinuing, matched == 0 || rest.isEmpty else { return nil }
        }
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
}
