/// A regular expression that is searched in a text without ever going back in it: each scalar of the text meets each step of the expression
/// at most once, whatever both of them say (K. Thompson, "Regular expression search algorithm", 1968; docs/decisions/0021). Only what looks ahead
/// is searched anew from each place where it stands, within the same limit of work.
///
/// It answers whether the expression occurs, and nothing else.
struct LinearExpression: Sendable {
    /// Steps that an expression may have when its repetitions are written out.
    static let mostSteps = 2000

    enum Step: Sendable {
        case scalar(ScalarSet)
        case either(Int, Int)
        case jump(Int)
        case position(Position)
        /// What follows is the expression, or is not.
        case ahead(LinearExpression, isNegative: Bool)
        case found
    }

    /// A place in the text.
    enum Position: Sendable {
        case start, end
        /// Before a line break at the end as well.
        case endOfText
        case wordBorder, noWordBorder
    }

    private let steps: [Step]
    /// Nothing that does not stand at the start of a text can be found.
    private let isAnchored: Bool

    /// - Throws: `ExpressionError` for what is no expression, or asks for more than can be told without going back.
    init(_ pattern: String) throws(ExpressionError) {
        var parser = ExpressionParser(pattern)
        let node = try parser.parse()
        var size = 0
        try self.init(node, &size)
    }

    private init(_ node: ExpressionNode, _ size: inout Int) throws(ExpressionError) {
        var steps: [Step] = []
        try Self.append(node, to: &steps, &size)
        steps.append(.found)
        self.steps = steps
        isAnchored = if case .position(.start) = steps[0] { true } else { false }
    }

    // MARK: Search

    /// - Parameters:
    ///   - work: counts what is done.
    ///   - most: of it; nil is returned when it does not suffice.
    func occurs(in text: [Unicode.Scalar], work: inout Int, most: Int = .max) -> Bool? {
        occurs(in: text, from: 0, onlyThere: isAnchored, work: &work, most: most)
    }

    /// - Parameter onlyThere: what does not begin at `start` is of no interest.
    private func occurs(in text: [Unicode.Scalar], from start: Int, onlyThere: Bool, work: inout Int, most: Int)
        -> Bool?
    {
        // Steps that wait for a scalar, and when each step was met last: as the position behind which this happened.
        unsafe withUnsafeTemporaryAllocation(of: Int32.self, capacity: steps.count * 4) { space -> Bool? in
            // Written here, read and written through `LentMemory`, and known to nobody behind this closure.
            unsafe space.initialize(repeating: -1)
            let lists = unsafe LentMemory(space)
            var threads = Threads(
                waiting: lists.extracting(0..<steps.count),
                next: lists.extracting(steps.count..<2 * steps.count),
                met: lists.extracting(2 * steps.count..<3 * steps.count),
                stack: lists.extracting(3 * steps.count..<4 * steps.count))
            for position in start...text.count {
                if position == start || !onlyThere {
                    if enter(0, at: position, of: text, &threads, &work, most) { return true }
                }
                guard position < text.count, threads.count > 0 || !onlyThere else { break }
                guard work <= most else { return nil }
                let scalar = text[position]
                let count = threads.count
                swap(&threads.waiting, &threads.next)
                threads.count = 0
                for place in 0..<count {
                    let step = Int(threads.next[place])
                    work += 1
                    guard case .scalar(let set) = steps[step], set.contains(scalar) else { continue }
                    if enter(step + 1, at: position + 1, of: text, &threads, &work, most) { return true }
                }
            }
            return false
        }
    }

    /// What is under way in a search. Each list has room for each step once.
    private struct Threads {
        var waiting: LentMemory<Int32>
        var next: LentMemory<Int32>
        let met: LentMemory<Int32>
        let stack: LentMemory<Int32>
        var count = 0
    }

    /// Goes from a step to all that wait for a scalar behind it.
    ///
    /// - Returns: whether the end has been found.
    private func enter(
        _ first: Int, at position: Int, of text: [Unicode.Scalar], _ threads: inout Threads, _ work: inout Int,
        _ most: Int
    ) -> Bool {
        var depth = 0
        func push(_ step: Int) {
            // Of a step that has been met here, all that follows has been met as well.
            guard threads.met[step] != Int32(truncatingIfNeeded: position) else { return }
            threads.met[step] = Int32(truncatingIfNeeded: position)
            threads.stack[depth] = Int32(truncatingIfNeeded: step)
            depth += 1
        }
        push(first)
        while depth > 0 {
            depth -= 1
            let step = Int(threads.stack[depth])
            work += 1
            switch steps[step] {
            case .found: return true
            case .scalar:
                threads.waiting[threads.count] = Int32(truncatingIfNeeded: step)
                threads.count += 1
            case .jump(let target): push(target)
            case .either(let left, let right):
                push(left)
                push(right)
            case .ahead(let expression, let isNegative):
                // What costs too much is neither there nor missing; the search is given up then.
                let isThere = expression.occurs(in: text, from: position, onlyThere: true, work: &work, most: most)
                if let isThere, isThere != isNegative { push(step + 1) }
            case .position(let wanted): if Self.holds(wanted, at: position, of: text) { push(step + 1) }
            }
        }
        return false
    }

    private static func holds(_ wanted: Position, at position: Int, of text: [Unicode.Scalar]) -> Bool {
        switch wanted {
        case .start: position == 0
        case .end: position == text.count
        case .endOfText: position == text.count || position == text.count - 1 && ScalarSet.isLineBreak(text[position])
        case .wordBorder: isWordBorder(position, of: text)
        case .noWordBorder: !isWordBorder(position, of: text)
        }
    }

    private static func isWordBorder(_ position: Int, of text: [Unicode.Scalar]) -> Bool {
        (position > 0 && ScalarSet.isWord(text[position - 1]))
            != (position < text.count && ScalarSet.isWord(text[position]))
    }

    // MARK: Steps

    /// - Parameter size: of all that has been written out, with what looks ahead.
    private static func append(_ node: ExpressionNode, to steps: inout [Step], _ size: inout Int)
        throws(ExpressionError)
    {
        size += 1
        guard steps.count < mostSteps, size < 2 * mostSteps else {
            throw ExpressionError(
                "it is too large: it has more than \(mostSteps) steps after its repetitions are expanded")
        }
        switch node {
        case .scalar(let set): steps.append(.scalar(set))
        case .position(let position): steps.append(.position(position))
        case .ahead(let node, let isNegative):
            steps.append(.ahead(try LinearExpression(node, &size), isNegative: isNegative))
        case .sequence(let nodes): for node in nodes { try append(node, to: &steps, &size) }
        case .alternatives(let nodes):
            var ends: [Int] = []
            for node in nodes.dropLast() {
                let fork = steps.count
                steps.append(.jump(0))
                try append(node, to: &steps, &size)
                ends.append(steps.count)
                steps.append(.jump(0))
                steps[fork] = .either(fork + 1, steps.count)
            }
            if let last = nodes.last { try append(last, to: &steps, &size) }
            for end in ends { steps[end] = .jump(steps.count) }
        case .repeated(let node, let least, let most):
            for _ in 0..<least {
                let before = steps.count
                try append(node, to: &steps, &size)
                // What has no steps has none however often it is repeated.
                if steps.count == before { break }
            }
            if let most {
                // (a(a(a)?)?)?: each may be the last.
                var forks: [Int] = []
                for _ in least..<max(most, least) {
                    forks.append(steps.count)
                    steps.append(.jump(0))
                    try append(node, to: &steps, &size)
                }
                for fork in forks { steps[fork] = .either(fork + 1, steps.count) }
            } else {
                let fork = steps.count
                steps.append(.jump(0))
                try append(node, to: &steps, &size)
                steps.append(.jump(fork))
                steps[fork] = .either(fork + 1, steps.count)
            }
        }
    }
}

/// Why a text is no expression, as the end of a sentence.
struct ExpressionError: Error, Equatable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// What an expression says.
indirect enum ExpressionNode {
    case scalar(ScalarSet)
    case position(LinearExpression.Position)
    case ahead(ExpressionNode, isNegative: Bool)
    case sequence([ExpressionNode])
    case alternatives([ExpressionNode])
    /// - Parameter most: nil for any number.
    case repeated(ExpressionNode, least: Int, most: Int?)
}

/// Scalars, as a class of an expression names them.
struct ScalarSet: Sendable {
    enum Kind: Sendable { case digit, word, blank }

    private var ranges: [ClosedRange<UInt32>] = []
    private var kinds: [(kind: Kind, isInverted: Bool)] = []
    var isInverted = false
    var ignoresCase = false

    init() {}

    init(_ scalar: Unicode.Scalar, ignoresCase: Bool) {
        insert(scalar...scalar)
        self.ignoresCase = ignoresCase
    }

    init(_ kind: Kind, isInverted: Bool) { insert(kind, isInverted: isInverted) }

    /// Everything, or all but line breaks.
    init(anyButLineBreaks: Bool) {
        isInverted = true
        if anyButLineBreaks {
            ranges = [0x0A...0x0D, 0x85...0x85, 0x2028...0x2029]
        }
    }

    mutating func insert(_ range: ClosedRange<Unicode.Scalar>) {
        ranges.append(range.lowerBound.value...range.upperBound.value)
    }
    mutating func insert(_ kind: Kind, isInverted: Bool) { kinds.append((kind, isInverted)) }

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        var isIn = holds(scalar)
        if !isIn, ignoresCase {
            isIn =
                Self.sole(scalar.properties.lowercaseMapping).map(holds) ?? false
                || Self.sole(scalar.properties.uppercaseMapping).map(holds) ?? false
        }
        return isIn != isInverted
    }

    private func holds(_ scalar: Unicode.Scalar) -> Bool {
        for range in ranges where range.contains(scalar.value) { return true }
        for (kind, isInverted) in kinds where Self.isOf(kind, scalar) != isInverted { return true }
        return false
    }

    /// Another case that takes several scalars is none.
    private static func sole(_ mapping: String) -> Unicode.Scalar? {
        var scalars = mapping.unicodeScalars.makeIterator()
        guard let first = scalars.next(), scalars.next() == nil else { return nil }
        return first
    }

    private static func isOf(_ kind: Kind, _ scalar: Unicode.Scalar) -> Bool {
        switch kind {
        case .digit:
            scalar.isASCII ? (0x30...0x39).contains(scalar.value) : scalar.properties.generalCategory == .decimalNumber
        case .word: isWord(scalar)
        case .blank: scalar.properties.isWhitespace
        }
    }

    static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII {
            return (0x30...0x39).contains(scalar.value) || (0x61...0x7A).contains(scalar.value | 0x20) || scalar == "_"
        }
        return scalar.properties.isAlphabetic || scalar.properties.generalCategory == .decimalNumber
    }

    static func isLineBreak(_ scalar: Unicode.Scalar) -> Bool {
        (0x0A...0x0D).contains(scalar.value) || [0x85, 0x2028, 0x2029].contains(scalar.value)
    }
}
