import GRDB

/// The rows of `dim`, as the writer knows them. After a transaction that failed it must forget, for its new rows do not exist.
struct NameTable {
    private static let bound = 50_000
    /// Longer texts are cut; what is billed is in no text.
    private static let textBound = 1024

    private var known: [String: Int64] = [:]

    mutating func forget() { known.removeAll(keepingCapacity: true) }

    mutating func id(_ name: String, _ db: Database) throws -> Int64 {
        if let id = known[name] { return id }
        if known.count >= Self.bound { forget() }
        let text = Self.clean(name)
        let id =
            if let found = try Int64.fetchOne(
                db.cachedStatement(sql: "SELECT id FROM dim WHERE text = ?"), arguments: [text])
            {
                found
            } else { try insert(text, db) }
        known[name] = id
        return id
    }

    mutating func id(ifAny name: String?, _ db: Database) throws -> Int64? {
        guard let name else { return nil }
        return try id(name, db)
    }

    private func insert(_ text: String, _ db: Database) throws -> Int64 {
        try db.cachedStatement(sql: "INSERT INTO dim(text) VALUES (?)").execute(arguments: [text])
        return db.lastInsertedRowID
    }

    /// A text as SQLite can give it back: without NUL, where it would end, and not endless.
    static func clean(_ text: String) -> String {
        let isClean = text.utf8.count <= textBound && !text.utf8.contains(0)
        guard !isClean else { return text }
        var kept = String.UnicodeScalarView()
        var count = 0
        for scalar in text.unicodeScalars {
            let scalar = scalar == "\0" ? "\u{FFFD}" : scalar
            count += UTF8.width(scalar)
            guard count <= textBound else { break }
            kept.append(scalar)
        }
        return String(kept)
    }
}
