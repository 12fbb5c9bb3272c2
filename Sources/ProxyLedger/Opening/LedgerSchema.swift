import GRDB

/// The tables, and how an older file becomes a newer one.
enum LedgerSchema {
    /// Tells our files from other programs' (SQLite's `application_id`): "ociL".
    static let applicationID: Int64 = 0x6F63_694C

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 ledger") { db in
            try db.execute(sql: "PRAGMA application_id = \(applicationID)")
            try db.execute(sql: rows)
            try db.execute(sql: sums)
            try db.execute(sql: state)
        }
        return migrator
    }

    /// Times are microseconds since 1970, durations microseconds, costs nano-dollars. What is not known is NULL.
    ///
    /// `dim` holds each name once; 0 is the empty one. What clients write (`rid`, `model`) is not in it, so that they cannot fill it.
    /// `day_model` is the model under which the request is rolled up. `served` marks the attempt that answered.
    private static let rows = """
        CREATE TABLE dim(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
        INSERT INTO dim(id, text) VALUES (0, '');
        CREATE TABLE request(
            id INTEGER PRIMARY KEY, rid TEXT NOT NULL, at INTEGER NOT NULL, key INTEGER NOT NULL,
            dialect INTEGER NOT NULL, endpoint INTEGER NOT NULL, model TEXT, served_model INTEGER, upstream INTEGER,
            day_model INTEGER NOT NULL, status INTEGER NOT NULL, error INTEGER, stream INTEGER NOT NULL,
            wait INTEGER NOT NULL, first_token INTEGER, total INTEGER NOT NULL, prompt INTEGER, completion INTEGER,
            cached INTEGER, reasoning INTEGER, characters_in INTEGER, characters_out INTEGER, truth INTEGER NOT NULL,
            cost INTEGER, rescued_from INTEGER, fallback INTEGER, charged_tokens INTEGER NOT NULL,
            charged_cost INTEGER NOT NULL, attempts INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX request_at ON request(at);
        CREATE INDEX request_key_at ON request(key, at);
        CREATE INDEX request_failed ON request(at) WHERE status >= 400 OR error IS NOT NULL;
        CREATE TABLE attempt(
            request INTEGER NOT NULL, seq INTEGER NOT NULL, n INTEGER NOT NULL, at INTEGER NOT NULL,
            upstream INTEGER NOT NULL, model INTEGER NOT NULL, region INTEGER, outcome INTEGER NOT NULL,
            status INTEGER, opc_request_id TEXT, first_token INTEGER, total INTEGER NOT NULL, prompt INTEGER,
            completion INTEGER, cached INTEGER, reasoning INTEGER, characters_in INTEGER, characters_out INTEGER,
            truth INTEGER NOT NULL, cost INTEGER, served INTEGER NOT NULL, PRIMARY KEY(request, seq)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX attempt_unserved ON attempt(at) WHERE served = 0;
        """

    /// `day` counts days since 1970 in UTC. Tokens and costs are those of attempts, `requests` and what is told of them is at the upstream
    /// that answered, or 0. `priced` attempts have a known cost.
    private static let sums = """
        CREATE TABLE day(
            day INTEGER NOT NULL, key INTEGER NOT NULL, upstream INTEGER NOT NULL, model INTEGER NOT NULL,
            requests INTEGER NOT NULL, failed INTEGER NOT NULL, cancelled INTEGER NOT NULL, rescued INTEGER NOT NULL,
            unknown_usage INTEGER NOT NULL, estimated_usage INTEGER NOT NULL, unknown_cost INTEGER NOT NULL,
            attempts INTEGER NOT NULL, retries INTEGER NOT NULL, prompt INTEGER, completion INTEGER, cached INTEGER,
            reasoning INTEGER, priced INTEGER NOT NULL, cost INTEGER, retry_cost INTEGER NOT NULL,
            first_token_sum INTEGER NOT NULL, first_token_count INTEGER NOT NULL,
            PRIMARY KEY(day, key, upstream, model)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE counter(
            key TEXT NOT NULL, window TEXT NOT NULL, period_start INTEGER NOT NULL, requests INTEGER NOT NULL,
            tokens INTEGER NOT NULL, cost INTEGER NOT NULL, PRIMARY KEY(window, period_start, key)
        ) STRICT, WITHOUT ROWID;
        """

    private static let state = """
        CREATE TABLE key(
            name TEXT PRIMARY KEY, digest BLOB NOT NULL UNIQUE, prefix TEXT NOT NULL, created INTEGER NOT NULL,
            revoked INTEGER, limits TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE former_key(
            digest BLOB PRIMARY KEY, name TEXT NOT NULL, seq INTEGER NOT NULL, until INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX former_key_name ON former_key(name);
        CREATE TABLE audit(
            id INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL
        ) STRICT;
        CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE memory(name TEXT PRIMARY KEY, bytes BLOB NOT NULL, at INTEGER NOT NULL) STRICT;
        CREATE TABLE document(
            id TEXT PRIMARY KEY, key TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL,
            bytes BLOB NOT NULL
        ) STRICT;
        CREATE INDEX document_expires ON document(expires);
        CREATE INDEX document_created ON document(created, id);
        """
}
