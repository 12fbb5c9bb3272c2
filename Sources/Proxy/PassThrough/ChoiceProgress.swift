/// Which choices of a streamed answer have begun, and whether all of them have ended.
struct ChoiceProgress {
    /// Nearly always the only one; nil until it begins.
    private var first: Bool?
    /// Whether each of the others has ended.
    private var others: [Int: Bool] = [:]
    private var openOthers = 0

    var hasBegun: Bool { first != nil || !others.isEmpty }
    var hasEnded: Bool { hasBegun && first != false && openOthers == 0 }

    /// `n` is at most 128; an upstream may name any number, and each is remembered.
    static let mostChoices = 128

    /// A choice that has ended stays so, whatever comes after.
    ///
    /// - Returns: whether there can be a choice of that number. If not, nothing is noted.
    mutating func note(_ index: Int, hasEnded: Bool) -> Bool {
        guard (0..<Self.mostChoices).contains(index) else { return false }
        noteKnown(index, hasEnded: hasEnded)
        return true
    }

    private mutating func noteKnown(_ index: Int, hasEnded: Bool) {
        if index == 0 {
            first = first == true || hasEnded
            return
        }
        let before = others.updateValue(hasEnded || others[index] == true, forKey: index)
        if before == nil, !hasEnded { openOthers += 1 }
        if before == false, hasEnded { openOthers -= 1 }
    }
}
