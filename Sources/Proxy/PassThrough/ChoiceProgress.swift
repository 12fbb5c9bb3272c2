/// Which choices of a streamed answer have begun, and whether all of them have ended.
struct ChoiceProgress {
    /// Nearly always the only one; nil until it begins.
    private var first: Bool?
    /// Whether each of the others has ended.
    private var others: [Int: Bool] = [:]
    private var openOthers = 0

    var hasBegun: Bool { first != nil || !others.isEmpty }
    var hasEnded: Bool { hasBegun && first != false && openOthers == 0 }

    /// A choice that has ended stays so, whatever comes after.
    mutating func note(_ index: Int, hasEnded: Bool) {
        if index == 0 {
            first = first == true || hasEnded
            return
        }
        let before = others.updateValue(hasEnded || others[index] == true, forKey: index)
        if before == nil, !hasEnded { openOthers += 1 }
        if before == false, hasEnded { openOthers -= 1 }
    }
}
