import GRDB
import ProxyAccounting

/// The rows of `dim`, as the writer knows them. After a transaction that failed it must forget, for its new rows do not exist.
struct NameTable {
    /// What stands for the names that have no room any more. With brackets, which no name of a model or an upstream has.
    static let other = "(other)"

    /// Names that a ledger has at most.
    static let bound = 100_000
    /// Names that are remembered.
    private static let cacheBound = 50_000

    private var known: [String: Int64] = [:]
    /// The rows of a batch's names, by their places in it; -1 as long as nobody has asked.
    private var ids: [Int64] = []
    /// Rows of `dim`.
    private var count: Int?

    mutating func forget() {
        let count = ids.count
        self = NameTable()
        begin(count)
    }

    /// Begins a batch of so many names.
    mutating func begin(_ count: Int) {
        ids.removeAll(keepingCapacity: true)
        ids.append(contentsOf: repeatElement(-1, count: count))
    }

    /// - Parameter place: in the entry's page.
    mutating func id(_ place: EntryPage.Name, of entry: RecordedEntry, _ db: Database) throws -> Int64 {
        let known = ids[entry.firstName + Int(place.index)]
        guard known < 0 else { return known }
        let id = try id(entry.name(place), db)
        ids[entry.firstName + Int(place.index)] = id
        return id
    }

    mutating func id(ifAny place: EntryPage.Name, of entry: RecordedEntry, _ db: Database) throws -> Int64? {
        guard !place.isNone else { return nil }
        return try id(place, of: entry, db)
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
