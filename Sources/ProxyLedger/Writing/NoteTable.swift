import Foundation
import GRDB
import ProxyAccounting

/// Memory and documents on the disk.
enum NoteTable {
    static func write(_ notes: [NoteBox.Name: NoteBox.Waiting], at seconds: Int64, _ db: Database) throws {
        for (name, waiting) in notes {
            switch (name, waiting.note) {
            case (.memory(let name), .memory(let bytes)):
                try db.cachedStatement(sql: "INSERT OR REPLACE INTO memory(name, bytes, at) VALUES (?, ?, ?)")
                    .execute(arguments: [name, Data(bytes), seconds])
            case (.document, .document(let document)):
                try db.cachedStatement(
                    sql: "INSERT OR REPLACE INTO document(id, key, created, expires, bytes) VALUES (?, ?, ?, ?, ?)"
                ).execute(arguments: [
                    document.id, document.key, document.created, document.expires, Data(document.bytes),
                ])
            case (.document(let id), .forgotten):
                try forget(document: id, db)
            case (.memory, _), (.document, .memory): break
            }
        }
    }

    static func forget(document id: String, _ db: Database) throws {
        try db.cachedStatement(sql: "DELETE FROM document WHERE id = ?").execute(arguments: [id])
    }

    static func memory(_ name: String, _ db: Database) throws -> [UInt8]? {
        try Data.fetchOne(db, sql: "SELECT bytes FROM memory WHERE name = ?", arguments: [name]).map { [UInt8]($0) }
    }

    /// Documents that a step reads.
    static let step = 200

    /// Some that have not expired, the oldest first, behind one that has been read.
    static func documents(at seconds: Int64, after last: StoredDocument?, _ db: Database) throws -> [StoredDocument] {
        try Row.fetchAll(
            db,
            sql:
                "SELECT * FROM document WHERE expires > ? AND (created, id) > (?, ?) ORDER BY created, id LIMIT \(step)",
            arguments: [seconds, last?.created ?? .min, last?.id ?? ""]
        ).map { row in
            let bytes: Data = row["bytes"]
            return StoredDocument(
                id: row["id"], key: row["key"], created: row["created"], expires: row["expires"], bytes: [UInt8](bytes))
        }
    }
}
