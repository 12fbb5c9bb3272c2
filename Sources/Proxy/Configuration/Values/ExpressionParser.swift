/// Reads the usual syntax of regular expressions: literals, `.`, classes, `\d \w \s \b`, groups, `|`, `? * + {m,n}` (greedy or not: it is
/// the same to a search), `^ $`, `(?i)`, `(?=` and `(?!`. What cannot be told without going back in a text (back references, looking behind, atomic
/// groups) and what is rare is an error that names it.
struct ExpressionParser {
    private let text: [Unicode.Scalar]
    private var position = 0
    private var depth = 0
    private var flags = Flags()

    private struct Flags {
        var ignoresCase = false
        var dotTakesLineBreaks = false
    }

    /// Groups within each other.
    private static let mostLevels = 64
    private static let mostRepetitions = 1000

    init(_ pattern: String) { text = Array(pattern.unicodeScalars) }

    mutating func parse() throws(ExpressionError) -> ExpressionNode {
        let node = try alternatives()
        guard position == text.count else { throw ExpressionError("unmatched closing ')'") }
        return node
    }

    private var next: Unicode.Scalar? { position < text.count ? text[position] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        position += 1
        return true
    }

    private mutating func take(_ words: String) -> Bool {
        let words = Array(words.unicodeScalars)
        guard text[position...].starts(with: words) else { return false }
        position += words.count
        return true
    }

    // MARK: Structure

    private mutating func alternatives() throws(ExpressionError) -> ExpressionNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.mostLevels else {
            throw ExpressionError("its groups are nested more than \(Self.mostLevels) levels deep")
        }
        var nodes = [try sequence()]
        while take("|") { nodes.append(try sequence()) }
        return nodes.count == 1 ? nodes[0] : .alternatives(nodes)
    }

    private mutating func sequence() throws(ExpressionError) -> ExpressionNode {
        var nodes: [ExpressionNode] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            let start = position
            guard let node = try atom() else { continue }
            nodes.append(try repeated(node, from: start))
        }
        return nodes.count == 1 ? nodes[0] : .sequence(nodes)
    }

    private mutating func repeated(_ node: ExpressionNode, from start: Int) throws(ExpressionError) -> ExpressionNode {
        guard let (least, most) = try bounds() else { return node }
        if take("+") { throw ExpressionError("possessive quantifiers (\(written(from: start))) are not supported") }
        _ = take("?")
        if try bounds() != nil {
            throw ExpressionError("a quantifier follows another one in '\(written(from: start))'")
        }
        return .repeated(node, least: least, most: most)
    }

    private func written(from start: Int) -> String { String(String.UnicodeScalarView(text[start..<position])) }

    /// How often what stands before is to come.
    private mutating func bounds() throws(ExpressionError) -> (least: Int, most: Int?)? {
        switch next {
        case "*":
            position += 1
            return (0, nil)
        case "+":
            position += 1
            return (1, nil)
        case "?":
            position += 1
            return (0, 1)
        case "{":
            let start = position
            position += 1
            let least = number()
            var most = least
            if take(",") {
                most = number()
            } else if least == nil {
                position = start
                return nil
            }
            // Anything else in braces is a text.
            guard take("}"), least != nil || most != nil else {
                position = start
                return nil
            }
            let words = written(from: start)
            for bound in [least, most] where bound ?? 0 > Self.mostRepetitions {
                throw ExpressionError("\(words) repeats more than \(Self.mostRepetitions) times")
            }
            guard least ?? 0 <= most ?? .max else {
                throw ExpressionError("the bounds of \(words) are in the wrong order")
            }
            return (least ?? 0, most)
        default: return nil
        }
    }

    private mutating func number() -> Int? {
        var number: Int?
        while let digit = next, ("0"..."9").contains(digit) {
            number = min((number ?? 0) * 10 + Int(digit.value - 0x30), 1_000_000)
            position += 1
        }
        return number
    }

    // MARK: Atoms

    /// - Returns: nil for what stands for nothing, such as a comment.
    private mutating func atom() throws(ExpressionError) -> ExpressionNode? {
        guard let scalar = next else { return nil }
        position += 1
        switch scalar {
        case ".": return .scalar(ScalarSet(anyButLineBreaks: !flags.dotTakesLineBreaks))
        case "^": return .position(.start)
        case "$": return .position(.endOfText)
        case "(": return try group()
        case "[": return .scalar(try set())
        case "\\": return try escape()
        case "*", "+", "?": throw ExpressionError("quantifier '\(scalar)' must appear after expression")
        default: return literal(scalar)
        }
    }

    private func literal(_ scalar: Unicode.Scalar) -> ExpressionNode {
        .scalar(ScalarSet(scalar, ignoresCase: flags.ignoresCase))
    }

    private mutating func group() throws(ExpressionError) -> ExpressionNode? {
        let outer = flags
        if take("?") {
            for (sign, what) in [
                ("<=", "lookbehind"), ("<!", "lookbehind"), (">", "an atomic group"), ("|", "a branch reset"),
                ("(", "a condition"), ("R", "recursion"), ("&", "recursion"), ("P>", "recursion"),
                ("P=", "a back reference"),
            ] where take(sign) {
                throw ExpressionError("(?\(sign) is \(what), which is not supported")
            }
            for (sign, isNegative) in [("=", false), ("!", true)] where take(sign) {
                let node = try alternatives()
                flags = outer
                return try closed(.ahead(node, isNegative: isNegative))
            }
            if take("#") {
                while let scalar = next, scalar != ")" {
                    _ = scalar
                    position += 1
                }
                return try closed(nil)
            }
            if take("<") || take("P<") || take("'") {
                while let scalar = next, scalar != ">", scalar != "'" {
                    _ = scalar
                    position += 1
                }
                guard next != nil else { throw ExpressionError("expected '>'") }
                position += 1
            } else if !take(":") {
                try readFlags()
                // They hold to the end of the group around.
                if take(")") { return nil }
                guard take(":") else { throw ExpressionError("expected ')'") }
            }
        }
        let node = try alternatives()
        flags = outer
        return try closed(node)
    }

    private mutating func closed(_ node: ExpressionNode?) throws(ExpressionError) -> ExpressionNode? {
        guard take(")") else { throw ExpressionError("expected ')'") }
        return node
    }

    private mutating func readFlags() throws(ExpressionError) {
        var isOn = true
        while let flag = next, flag != ")", flag != ":" {
            position += 1
            switch flag {
            case "-": isOn = false
            case "i": flags.ignoresCase = isOn
            case "s": flags.dotTakesLineBreaks = isOn
            default: throw ExpressionError("(?\(flag)) is not supported; the supported options are (?i) and (?s)")
            }
        }
    }

    private mutating func escape() throws(ExpressionError) -> ExpressionNode? {
        let start = position - 1
        guard let scalar = next else { throw ExpressionError("expected escape sequence") }
        switch scalar {
        case "b":
            position += 1
            return .position(.wordBorder)
        case "B":
            position += 1
            return .position(.noWordBorder)
        case "A":
            position += 1
            return .position(.start)
        case "z":
            position += 1
            return .position(.end)
        case "Z":
            position += 1
            return .position(.endOfText)
        case "1"..."9", "k", "g":
            position += 1
            throw ExpressionError("\(written(from: start)) is a back reference, which is not supported")
        default: break
        }
        if let (kind, isInverted) = kind() { return .scalar(ScalarSet(kind, isInverted: isInverted)) }
        return literal(try escaped())
    }

    /// `\d` and its like.
    private mutating func kind() -> (ScalarSet.Kind, Bool)? {
        let kinds: [Unicode.Scalar: ScalarSet.Kind] = ["d": .digit, "w": .word, "s": .blank]
        guard let scalar = next, scalar.isASCII, let lower = Unicode.Scalar(scalar.value | 0x20),
            let kind = kinds[lower], "dDwWsS".unicodeScalars.contains(scalar)
        else { return nil }
        position += 1
        return (kind, scalar != lower)
    }

    /// The scalar that is escaped behind a backslash.
    private mutating func escaped() throws(ExpressionError) -> Unicode.Scalar {
        let start = position - 1
        guard let scalar = next else { throw ExpressionError("expected escape sequence") }
        position += 1
        switch scalar {
        case "t": return "\t"
        case "n": return "\n"
        case "r": return "\r"
        case "f": return "\u{0C}"
        case "v": return "\u{0B}"
        case "e": return "\u{1B}"
        case "a": return "\u{07}"
        case "x": return try hex(of: 2, from: start)
        case "u": return try hex(of: 4, from: start)
        default:
            guard !scalar.isASCII || !ScalarSet.isWord(scalar) || scalar == "_" else {
                throw ExpressionError("\(written(from: start)) is not supported")
            }
            return scalar
        }
    }

    /// `\x41`, `\u0041`, or either with braces.
    private mutating func hex(of count: Int, from start: Int) throws(ExpressionError) -> Unicode.Scalar {
        let isBraced = take("{")
        var value: UInt32 = 0
        var digits = 0
        while let digit = next, digit.isASCII, let number = UInt8(truncatingIfNeeded: digit.value).hexDigitValue,
            digits < (isBraced ? 8 : count)
        {
            value = value << 4 | UInt32(number)
            digits += 1
            position += 1
        }
        guard isBraced ? digits > 0 && take("}") : digits == count, let scalar = Unicode.Scalar(value) else {
            throw ExpressionError("\(written(from: start)) is not a character")
        }
        return scalar
    }

    // MARK: Classes

    private mutating func set() throws(ExpressionError) -> ScalarSet {
        var set = ScalarSet()
        set.ignoresCase = flags.ignoresCase
        set.isInverted = take("^")
        var isFirst = true
        while true {
            guard let scalar = next else { throw ExpressionError("expected ']'") }
            if scalar == "]", !isFirst { break }
            isFirst = false
            if scalar == "[" {
                throw ExpressionError("a class within a class is not supported; write \\[ for the bracket itself")
            }
            for operation in ["&&", "--", "~~"] where take(operation) {
                throw ExpressionError("\(operation) within a class is not supported")
            }
            position += 1
            if scalar == "\\", let (kind, isInverted) = kind() {
                set.insert(kind, isInverted: isInverted)
                continue
            }
            let first = scalar == "\\" ? try member() : scalar
            guard next == "-", position + 1 < text.count, text[position + 1] != "]" else {
                set.insert(first...first)
                continue
            }
            let start = position - 1
            if text[position + 1] == "-" {
                position += 2
                throw ExpressionError("-- within a class is not supported")
            }
            position += 1
            guard let end = next else { throw ExpressionError("expected ']'") }
            position += 1
            if end == "[" {
                throw ExpressionError("a class within a class is not supported; write \\[ for the bracket itself")
            }
            let last = end == "\\" ? try member() : end
            guard first <= last else {
                throw ExpressionError("the range \(written(from: start)) is in the wrong order")
            }
            set.insert(first...last)
        }
        position += 1
        return set
    }

    /// An escaped scalar in a class, where `\b` is a backspace.
    private mutating func member() throws(ExpressionError) -> Unicode.Scalar {
        if take("b") { return "\u{08}" }
        return try escaped()
    }
}
