/// Which choices of a streamed answer have begun, and whether all of them have ended.
///
/// A finish reason in the middle of a stream is a word and not an end: some upstreams repeat one with each event, and some call tools behind it.
/// The last that a choice has said counts.
struct ChoiceProgress {
    /// As many as were asked for: the answer has not ended while one of them has not been seen.
    private let expected: Int
    /// Nearly always the only one: whether it has ended; nil until it begins.
    private var first: Bool?
    /// Whether each of the others has ended.
    private var others: [Int: Bool] = [:]
    private var openOthers = 0
    /// Some choice has said more behind its finish reason: those of this upstream end nothing.
    private(set) var hasGoneOn = false

    init(expected: Int = 1) {
        self.expected = expected
    }

    var hasBegun: Bool { first != nil || !others.isEmpty }
    var hasEnded: Bool {
        hasBegun && first != false && openOthers == 0 && (first == nil ? 0 : 1) + others.count >= expected
    }

    /// `n` is at most 128; an upstream may name any number, and each is remembered.
    static let mostChoices = 128

    /// Whether the last that the choice has said was a finish reason.
    func hasEnded(_ index: Int) -> Bool { (index == 0 ? first : others[index]) == true }

    /// Takes down that a choice has got so far. One that has ended stays so when nothing more is said.
    ///
    /// - Returns: whether there can be a choice of that number. If not, nothing is noted.
    mutating func note(_ index: Int, hasEnded: Bool) -> Bool {
        guard (0..<Self.mostChoices).contains(index) else { return false }
        set(index, to: hasEnded || self.hasEnded(index))
        return true
    }

    /// A choice that has ended has said something more.
    mutating func goOn(_ index: Int, hasEnded: Bool) {
        hasGoneOn = true
        set(index, to: hasEnded)
    }

    private mutating func set(_ index: Int, to hasEnded: Bool) {
        if index == 0 {
            first = hasEnded
            return
        }
        let before = others.updateValue(hasEnded, forKey: index)
        openOthers += (hasEnded ? 0 : 1) - (before == false ? 1 : 0)
    }
}
