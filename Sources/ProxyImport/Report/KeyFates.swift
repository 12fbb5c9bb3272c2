/// What becomes of a key of the source.
package enum KeyFate: String, Sendable, Comparable {
    case taken, changed, dropped

    private var rank: Int { self == .taken ? 0 : self == .changed ? 1 : 2 }
    package static func < (left: KeyFate, right: KeyFate) -> Bool { left.rank < right.rank }
}

/// Notes what becomes of the keys while they are read.
struct KeyFates: Sendable {
    struct Note: Sendable, Hashable {
        let fate: KeyFate
        let text: String
    }

    private(set) var notes: [Int: [Note]] = [:]

    /// - Parameter text: where it went.
    mutating func take(_ member: YAMLMember, _ text: String) { note(.taken, member.id, text) }
    /// - Parameter text: where it went, and what is different there.
    mutating func change(_ member: YAMLMember, _ text: String) { note(.changed, member.id, text) }
    /// - Parameter text: why.
    mutating func drop(_ member: YAMLMember, _ text: String) { note(.dropped, member.id, text) }

    mutating func note(_ fate: KeyFate, _ id: Int, _ text: String) {
        let note = Note(fate: fate, text: text)
        // A key that an alias repeats a thousand times is told of once.
        guard notes[id, default: []].count < Self.most, !notes[id, default: []].contains(note) else { return }
        notes[id, default: []].append(note)
    }

    private static let most = 20
}
