import Foundation
import GRDB
import ProxyAccounting

/// Managed keys on the disk.
enum KeyTable {
    /// Writes a key with its former digests, and who did it.
    static func save(_ key: ManagedKey, action: String, by actor: String, at seconds: Int64, _ db: Database) throws {
        do {
            try db.execute(
                sql: """
                    INSERT INTO key(name, digest, prefix, created, revoked, limits) VALUES (?, ?, ?, ?, ?, ?)
                    ON CONFLICT(name) DO UPDATE SET digest = excluded.digest, prefix = excluded.prefix,
                        created = excluded.created, revoked = excluded.revoked, limits = excluded.limits
                    """,
                arguments: [
                    key.name, Data(key.digest), key.prefix, key.created, key.revoked,
                    try KeyLimitsText.encode(key.limits),
                ])
            try db.execute(sql: "DELETE FROM former_key WHERE name = ?", arguments: [key.name])
            for (index, former) in key.former.enumerated() {
                try db.execute(
                    sql: "INSERT INTO former_key(digest, name, seq, until) VALUES (?, ?, ?, ?)",
                    arguments: [Data(former.digest), key.name, index, former.until])
            }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
            throw LedgerError(
                .conflict, "The key \(key.name) cannot be saved: another key has its digest. Make a new one.")
        }
        try db.execute(
            sql: "INSERT INTO audit(at, actor, action, subject) VALUES (?, ?, ?, ?)",
            arguments: [seconds, actor, action, key.name])
    }

    /// The last changes of a key, or of all, in the order of time.
    static func changes(of name: String?, limit: Int, _ db: Database) throws -> [KeyChange] {
        try Row.fetchAll(
            db, sql: "SELECT * FROM audit WHERE ? IS NULL OR subject = ? ORDER BY id DESC LIMIT ?",
            arguments: [name, name, limit]
        ).reversed().map { KeyChange(at: $0["at"], key: $0["subject"], action: $0["action"], actor: $0["actor"]) }
    }

    /// - Parameter unreadable: told the names of keys whose limits are not understood. They come as expired.
    static func all(_ db: Database, unreadable: (String) -> Void) throws -> [ManagedKey] {
        var former: [String: [ManagedKey.Former]] = [:]
        for row in try Row.fetchAll(db, sql: "SELECT name, digest, until FROM former_key ORDER BY name, seq") {
            former[row["name"], default: []].append(
                ManagedKey.Former(digest: [UInt8](row["digest"] as Data), until: row["until"]))
        }
        return try Row.fetchAll(db, sql: "SELECT * FROM key ORDER BY created, name").map { row in
            let name: String = row["name"]
            var limits = KeyLimits()
            if let known = KeyLimitsText.decode(row["limits"]) {
                limits = known
            } else {
                limits.expires = 0
                unreadable(name)
            }
            var key = ManagedKey(
                name: name, digest: [UInt8](row["digest"] as Data), prefix: row["prefix"], created: row["created"],
                limits: limits)
            key.revoked = row["revoked"]
            key.former = former[name] ?? []
            return key
        }
    }
}
