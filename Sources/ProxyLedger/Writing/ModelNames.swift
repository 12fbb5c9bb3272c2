import GRDB

/// Under which name a model is booked. Names come from clients, and somebody could make up a new one with each request.
///
/// A name counts when an upstream has ever answered by it, or a catalogue has it. All others are one, and so are those beyond a day's bound: an
/// upstream may take any name.
struct ModelNames {
    static let unknown = "(unknown)"

    /// Models that one day's roll-ups tell apart.
    static let boundADay = 1000

    private struct Name: Hashable {
        var text: String
        var day: Int64
    }

    private let bound: Int
    /// What has been found of names that count.
    private var found: [Name: Int64] = [:]
    private var last: (name: Name, id: Int64)?
    /// The models of days.
    private var days: [Int64: Set<Int64>] = [:]

    init(boundADay: Int = Self.boundADay) { bound = boundADay }

    mutating func forget() { self = ModelNames(boundADay: bound) }

    /// - Parameters:
    ///   - isKnown: it is not only the client's word.
    ///   - day: since 1970.
    mutating func id(_ text: String, isKnown: Bool, day: Int64, _ names: inout NameTable, _ db: Database) throws
        -> Int64
    {
        if text.isEmpty { return 0 }
        if let last, last.name.day == day, last.name.text == text { return last.id }
        let name = Name(text: text, day: day)
        if let id = found[name] {
            last = (name, id)
            return id
        }
        guard try isKnown || wasKnown(text, db) else { return try names.id(Self.unknown, db) }
        let id = try bounded(names.id(text, db), day, db) ?? names.id(NameTable.other, db)
        if isKnown {
            try db.cachedStatement(sql: "UPDATE dim SET known = 1 WHERE id = ? AND known = 0").execute(arguments: [id])
        }
        if found.count >= 10_000 { found.removeAll(keepingCapacity: true) }
        found[name] = id
        last = (name, id)
        return id
    }

    private func wasKnown(_ text: String, _ db: Database) throws -> Bool {
        try Int64.fetchOne(
            db.cachedStatement(sql: "SELECT known FROM dim WHERE text = ?"), arguments: [CleanText.of(text)]) == 1
    }

    /// - Returns: nil when the day has too many already.
    private mutating func bounded(_ id: Int64, _ day: Int64, _ db: Database) throws -> Int64? {
        var models =
            try days[day]
            ?? Set(
                Int64.fetchAll(
                    db.cachedStatement(sql: "SELECT DISTINCT model FROM day WHERE day = ?"), arguments: [day]))
        if !models.contains(id) {
            guard models.count < bound else { return nil }
            models.insert(id)
        }
        if days.count >= 16, days[day] == nil { days.removeAll() }
        days[day] = models
        return id
    }
}
