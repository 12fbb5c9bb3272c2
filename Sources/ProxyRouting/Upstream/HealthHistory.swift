/// When an upstream was not well in the last day, as spells: what was the matter, from when until when.
///
/// Nothing is sampled. A spell is noted where a state changes, which is seldom, so a well upstream costs nothing. Bounded: of an upstream that
/// changes all the time the oldest spells are forgotten.
package struct HealthHistory: Sendable {
    /// What a person sees of a minute, the worse the greater.
    package enum State: UInt8, Comparable, Sendable {
        case ready, cooling, open, unhealthy

        package static func < (one: State, other: State) -> Bool { one.rawValue < other.rawValue }
    }

    package struct Spell: Equatable, Sendable {
        package var state: State
        package var from: Duration
        /// Nil as long as nobody knows. A cooldown ends by itself.
        package var until: Duration?
    }

    package static let span = Duration.seconds(24 * 3600)
    /// One a minute over the whole span.
    package static let capacity = 1440
    /// What comes back so soon had not gone, for people who look at minutes.
    private static let pause = Duration.seconds(30)

    /// In the order of time.
    private var spells: [Spell] = []

    package init() {}

    /// The last spell is going on.
    package func isOpen(at now: Duration) -> Bool { spells.last.map { $0.until.map { $0 > now } ?? true } ?? false }

    /// Takes note of how the upstream does now.
    ///
    /// - Parameter until: when that ends by itself, if it does.
    package mutating func note(_ state: State, until: Duration? = nil, at now: Duration) {
        if let last = spells.indices.last, spells[last].until.map({ $0 > now }) ?? true {
            if spells[last].state == state {
                spells[last].until = until
                return
            }
            spells[last].until = now
            if spells[last].from >= now { spells.removeLast() }
        }
        guard state != .ready else { return }
        if let last = spells.indices.last, spells[last].state == state, let end = spells[last].until,
            now - end <= Self.pause
        {
            spells[last].until = until
            return
        }
        if spells.count >= Self.capacity { spells.removeFirst(Self.capacity / 4) }
        if let first = spells.first?.until, first < now - Self.span {
            spells.removeAll { $0.until.map { $0 < now - Self.span } ?? false }
        }
        spells.append(Spell(state: state, from: now, until: until))
    }

    /// The worst state of each minute up to `now`, the oldest first; nil where the process was not running yet.
    ///
    /// - Parameters:
    ///   - minutes: how many.
    ///   - began: when the upstream was first there.
    package func strip(minutes: Int, since began: Duration, at now: Duration) -> [State?] {
        let minute = Duration.seconds(60)
        let start = now - minute * minutes
        var strip = (0..<minutes).map { start + minute * ($0 + 1) > began ? State.ready : nil }
        func index(_ instant: Duration) -> Int { Int((instant - start).components.seconds / 60) }
        for spell in spells {
            let end = min(spell.until ?? now, now)
            guard end > start, spell.from < now else { continue }
            // A moment that is the end of a minute belongs to that minute alone.
            let last = min(index(end - .nanoseconds(1)), minutes - 1)
            let first = min(max(index(max(spell.from, start)), 0), last)
            for minute in first...last { strip[minute] = max(strip[minute] ?? .ready, spell.state) }
        }
        return strip
    }
}
