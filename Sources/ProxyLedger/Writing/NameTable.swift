import GRDB

/// The rows of `dim`, as the writer knows them. After a transaction that failed it must forget, for its new rows do not exist.
struct NameTable {
    /// Where a name stands. Most rows have the same there as the one before.
    enum Place: Int, CaseIterable {
        case key, dialect, endpoint, upstream, error, rescuedFrom, fallback, attemptUpstream, region, outcome
    }

    /// What stands for the names that have no room any more. With brackets, which no name of a model or an upstream has.
    static let other = "(other)"

    /// Names that a ledger has at most.
    static let bound = 100_000
    /// Names that are remembered.
    private static let cacheBound = 50_000

    private var known: [String: Int64] = [:]
    private var lasts = [(text: String, id: Int64)?](repeating: nil, count: Place.allCases.count)
    /// Rows of `dim`.
    private var count: Int?

    mutating func forget() { self = NameTable() }

    mutating func id(_ name: String, _ place: Place, _ db: Database) throws -> Int64 {
        if let last = lasts[place.rawValue], last.text == name { return last.id }
        let id = try id(name, db)
        lasts[place.rawValue] = (name, id)
        return id
    }

    mutating func id(ifAny name: String?, _ place: Place, _ db: Database) throws -> Int64? {
        guard let name else { return nil }
        return try id(name, place, db)
    }

    mutating func id(_ name: String, _ db: Database) throws -> Int64 {
        if let id = known[name] { return id }
        if known.count >= Self.cacheBound { known.removeAll(keepingCapacity: true) }
        let text = CleanText.of(name)
        let id =
            if let found = try Int64.fetchOne(
                db.cachedStatement(sql: "SELECT id FROM dim WHERE text = ?"), arguments: [text])
            {
                found
            } else { try insert(text, db) }
        known[name] = id
        return id
    }

    private mutating func insert(_ text: String, _ db: Database) throws -> Int64 {
        let count = try self.count ?? Int.fetchOne(db, sql: "SELECT count(*) FROM dim") ?? 0
        self.count = count
        guard count < Self.bound || text == Self.other else { return try id(Self.other, db) }
        try db.cachedStatement(sql: "INSERT INTO dim(text) VALUES (?)").execute(arguments: [text])
        self.count = count + 1
        return db.lastInsertedRowID
    }
}
