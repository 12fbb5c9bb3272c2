import GRDB

/// The tables, and how an older file becomes a newer one.
enum LedgerSchema {
    /// Tells our files from other programs' (SQLite's `application_id`): "ociL".
    static let applicationID: Int64 = 0x6F63_694C

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 ledger") { db in
            try db.execute(sql: "PRAGMA application_id = \(applicationID)")
            for part in [rows, everyAttempt, sums, state] { try db.execute(sql: part) }
        }
        migrator.registerMigration("2 stories") { db in try db.execute(sql: stories) }
        return migrator
    }

    /// Times are microseconds since 1970, durations microseconds, costs nano-dollars. What is not known is NULL.
    ///
    /// A request's `id` says when it arrived (`RowID`), so that rows come in at the table's end and no index is needed. It holds its last attempt as
    /// well, which most requests have no other than: that is half the work of a row of its own. Attempts before the last one are in `attempt`.
    ///
    /// `dim` holds each name once; 0 is the empty one. What clients write (`rid`, `model`) is not in it, so that they cannot fill it; a model's name
    /// gets into it when it is `known` (`ModelNames`). `day_model` is the model under which the request is rolled up. `served` marks the attempt that
    /// answered. `times` is how many requests the row stands for (`RefusalBound`).
    ///
    /// Columns that many rows are summed up by come first, since SQLite finds these sooner.
    private static let rows = """
        CREATE TABLE dim(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, known INTEGER NOT NULL DEFAULT 0) STRICT;
        INSERT INTO dim(id, text) VALUES (0, '');
        CREATE TABLE request(
            id INTEGER PRIMARY KEY, key INTEGER NOT NULL, upstream INTEGER, day_model INTEGER NOT NULL,
            status INTEGER NOT NULL, error INTEGER, rescued_from INTEGER, truth INTEGER NOT NULL, cost INTEGER,
            attempts INTEGER NOT NULL, times INTEGER NOT NULL,
            last_upstream INTEGER, last_model INTEGER, last_served INTEGER, last_first_token INTEGER,
            last_outcome INTEGER, last_status INTEGER, last_prompt INTEGER, last_completion INTEGER,
            last_cached INTEGER, last_reasoning INTEGER, last_cost INTEGER,
            last_n INTEGER, last_at INTEGER, last_region INTEGER, last_total INTEGER, last_characters_in INTEGER,
            last_characters_out INTEGER, last_cache_writes INTEGER, last_truth INTEGER,
            dialect INTEGER NOT NULL, endpoint INTEGER NOT NULL, served_model INTEGER, stream INTEGER NOT NULL,
            wait INTEGER NOT NULL, first_token INTEGER, total INTEGER NOT NULL, prompt INTEGER, completion INTEGER,
            cached INTEGER, reasoning INTEGER, characters_in INTEGER, characters_out INTEGER, cache_writes INTEGER,
            fallback INTEGER,
            charged_tokens INTEGER NOT NULL, charged_cost INTEGER NOT NULL,
            rid TEXT NOT NULL, model TEXT, last_opc_request_id TEXT
        ) STRICT;
        CREATE TABLE attempt(
            request INTEGER NOT NULL, seq INTEGER NOT NULL,
            upstream INTEGER NOT NULL, model INTEGER NOT NULL, served INTEGER NOT NULL, first_token INTEGER,
            outcome INTEGER NOT NULL, status INTEGER, prompt INTEGER, completion INTEGER,
            cached INTEGER, reasoning INTEGER, cost INTEGER,
            n INTEGER NOT NULL, at INTEGER NOT NULL, region INTEGER, total INTEGER NOT NULL, characters_in INTEGER,
            characters_out INTEGER, cache_writes INTEGER, truth INTEGER NOT NULL,
            opc_request_id TEXT, PRIMARY KEY(request, seq)
        ) STRICT, WITHOUT ROWID;
        """

    /// All attempts, wherever they are. `request = ?` and ranges of it are looked up in both tables by their keys.
    private static let everyAttempt = """
        CREATE VIEW every_attempt(
            request, seq, upstream, model, served, first_token, outcome, status, prompt, completion, cached, reasoning,
            cost, n, at, region, total, characters_in, characters_out, cache_writes, truth, opc_request_id
        ) AS
        SELECT id, attempts - 1, last_upstream, last_model, last_served, last_first_token, last_outcome, last_status,
            last_prompt, last_completion, last_cached, last_reasoning, last_cost, last_n, last_at, last_region,
            last_total, last_characters_in, last_characters_out, last_cache_writes, last_truth, last_opc_request_id
        FROM request WHERE attempts > 0
        UNION ALL SELECT * FROM attempt;
        """

    /// Who could have been asked, and what happened between attempts where anything did (`RequestStory.events`).
    private static let stories = """
        ALTER TABLE request ADD COLUMN last_candidates INTEGER;
        ALTER TABLE attempt ADD COLUMN candidates INTEGER;
        CREATE TABLE story(request INTEGER PRIMARY KEY, events TEXT NOT NULL) STRICT;
        DROP VIEW every_attempt;
        CREATE VIEW every_attempt(
            request, seq, upstream, model, served, first_token, outcome, status, prompt, completion, cached, reasoning,
            cost, n, at, region, total, characters_in, characters_out, cache_writes, truth, opc_request_id, candidates
        ) AS
        SELECT id, attempts - 1, last_upstream, last_model, last_served, last_first_token, last_outcome, last_status,
            last_prompt, last_completion, last_cached, last_reasoning, last_cost, last_n, last_at, last_region,
            last_total, last_characters_in, last_characters_out, last_cache_writes, last_truth, last_opc_request_id,
            last_candidates
        FROM request WHERE attempts > 0
        UNION ALL SELECT * FROM attempt;
        """

    /// Roll-ups. `day` counts days since 1970 in UTC, `hour` hours; hours go with the rows, days stay. Tokens and costs are those of attempts,
    /// `requests` and what is told of them is at the upstream that answered, or 0. `priced` attempts have a known cost.
    ///
    /// `failure` has what failed by hours (`span` 1) and by days (24): requests (`level` 1) by error and attempts (0) by outcome. -1 is NULL, which a key
    /// cannot be. `last_at` is the latest one's moment.
    private static let sums =
        rollUp("day") + rollUp("hour") + """
            CREATE TABLE failure(
                span INTEGER NOT NULL, start INTEGER NOT NULL, key INTEGER NOT NULL, level INTEGER NOT NULL,
                error INTEGER NOT NULL, upstream INTEGER NOT NULL, status INTEGER NOT NULL, count INTEGER NOT NULL,
                last_at INTEGER NOT NULL, PRIMARY KEY(span, start, key, level, error, upstream, status)
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE counter(
                key TEXT NOT NULL, window TEXT NOT NULL, period_start INTEGER NOT NULL, requests INTEGER NOT NULL,
                tokens INTEGER NOT NULL, cost INTEGER NOT NULL, PRIMARY KEY(window, period_start, key)
            ) STRICT, WITHOUT ROWID;
            """

    private static func rollUp(_ name: String) -> String {
        """
        CREATE TABLE \(name)(
            \(name) INTEGER NOT NULL, key INTEGER NOT NULL, upstream INTEGER NOT NULL, model INTEGER NOT NULL,
            requests INTEGER NOT NULL, failed INTEGER NOT NULL, cancelled INTEGER NOT NULL, rescued INTEGER NOT NULL,
            unknown_usage INTEGER NOT NULL, estimated_usage INTEGER NOT NULL, unknown_cost INTEGER NOT NULL,
            attempts INTEGER NOT NULL, retries INTEGER NOT NULL, prompt INTEGER, completion INTEGER, cached INTEGER,
            reasoning INTEGER, priced INTEGER NOT NULL, cost INTEGER, retry_cost INTEGER NOT NULL,
            first_token_sum INTEGER NOT NULL, first_token_count INTEGER NOT NULL,
            PRIMARY KEY(\(name), key, upstream, model)
        ) STRICT, WITHOUT ROWID;

        """
    }

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
