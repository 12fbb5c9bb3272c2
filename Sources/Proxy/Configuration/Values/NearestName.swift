/// Finds what somebody probably meant: the known name at the smallest Damerau-Levenshtein distance (insertions,
/// deletions, substitutions and swaps of neighbours each cost one; case costs nothing).
package enum NearestName {
    /// The nearest of `candidates`, the first of equals; nil when none is near enough to be helpful: at most a third of
    /// the longer name, and at least two letters, may differ.
    package static func of(_ name: String, among candidates: [String]) -> String? {
        let wanted = Pattern(name)
        var steps = 0
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            let known = letters(of: candidate)
            let longer = max(wanted.count, known.count)
            let distance = wanted.distance(to: known, &steps)
            guard distance <= max(2, longer / 3), distance < longer else { continue }
            if distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.name
    }

    /// The optimal string alignment distance of the first 64 scalars of each, whatever their case.
    package static func distance(_ left: String, _ right: String) -> Int {
        var steps = 0
        return Pattern(left).distance(to: letters(of: right), &steps)
    }

    /// Scalars of a name that are compared: a word of the machine holds a bit for each.
    static let longest = 64

    /// The first scalars of a name, in lower case. Of scalars, since a character may have any number of them.
    static func letters(of name: String) -> ArraySlice<Unicode.Scalar> {
        Array(String(String.UnicodeScalarView(name.unicodeScalars.prefix(longest))).lowercased().unicodeScalars).prefix(
            longest)
    }

    /// A name that others are compared with, all of its scalars at once: a step for each scalar of the other, not for each pair (H. Hyyrö,
    /// "A bit-vector algorithm for computing Levenshtein and Damerau edit distances", 2003).
    struct Pattern {
        let count: Int
        /// For each scalar of ASCII, at which places of the name it stands.
        private var places: [UInt64]
        private var otherPlaces: [Unicode.Scalar: UInt64] = [:]

        init(_ name: String) {
            places = Array(repeating: 0, count: 128)
            let letters = NearestName.letters(of: name)
            count = letters.count
            for (place, letter) in letters.enumerated() {
                if letter.isASCII {
                    places[Int(letter.value)] |= 1 << UInt64(place)
                } else {
                    otherPlaces[letter, default: 0] |= 1 << UInt64(place)
                }
            }
        }

        /// - Parameter steps: counts the scalars that are looked at.
        func distance(to other: ArraySlice<Unicode.Scalar>, _ steps: inout Int) -> Int {
            steps += other.count
            guard count > 0 else { return other.count }
            let last: UInt64 = 1 << UInt64(count - 1)
            var distance = count
            // Where a column of the table of distances rises and falls, where its diagonal stays, and where the scalar before this one stands.
            var (rises, falls, stays, before): (UInt64, UInt64, UInt64, UInt64) = (.max, 0, 0, 0)
            for letter in other {
                let here = letter.isASCII ? places[Int(letter.value)] : otherPlaces[letter] ?? 0
                let swaps = ((~stays & here) << 1) & before
                stays = (((here & rises) &+ rises) ^ rises) | here | falls | swaps
                var rightRises = falls | ~(stays | rises)
                var rightFalls = stays & rises
                if rightRises & last != 0 { distance += 1 }
                if rightFalls & last != 0 { distance -= 1 }
                rightRises = rightRises << 1 | 1
                rightFalls <<= 1
                rises = rightFalls | ~(stays | rightRises)
                falls = rightRises & stays
                before = here
            }
            return distance
        }
    }
}
