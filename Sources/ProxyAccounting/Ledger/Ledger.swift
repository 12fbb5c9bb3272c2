/// Takes note of requests that have ended.
package protocol EntryRecorder: AnyObject, Sendable {
    /// Takes a request that has ended into the books. It never waits and never fails; where a ledger cannot keep it, `figures.dropped` counts it.
    ///
    /// - Parameter write: puts its row, and those of its attempts, into the page that it is given. It is called once, before this returns, and must not wait.
    func record(_ write: (inout EntryPage) -> Void)
}

/// What survives the process: rows of requests, counters of budgets, managed keys, what has been learnt, stored Responses.
///
/// `record`, `remember`, `keep` and `forget` never wait: what they are given is written by somebody else, soon, and lost (and counted) when
/// that cannot be. Everything else may wait for a disk, and is not for the way of a request.
package protocol Ledger: EntryRecorder {
    var figures: LedgerFigures { get }

    /// What was charged to keys in the periods that have not ended at `seconds` since 1970, for counters to go on from.
    func counters(at seconds: Int64) async throws -> [LedgerCounter]

    // MARK: Keys

    /// All managed keys, revoked ones too.
    func keys() async throws -> [ManagedKey]
    /// Writes a key, new or changed. It is on the disk when this returns.
    ///
    /// - Parameter action: for the audit: `create`, `rotate`, `revoke`; with who did it.
    func save(_ key: ManagedKey, action: String, by actor: String) async throws

    /// What has been done to managed keys: the last `limit` changes, in the order of time.
    ///
    /// - Parameter name: one key's; nil is all.
    func keyChanges(of name: String?, limit: Int) async throws -> [KeyChange]

    // MARK: Memory

    /// 32 bytes that this installation alone has, from the first time on: what is kept is sealed with them. Whether they are new.
    func secret() async throws -> (secret: [UInt8], isNew: Bool)

    /// What was remembered under a name.
    func memory(_ name: String) async throws -> [UInt8]?
    /// Remembers a small document under a name, in the place of what was there. It never waits.
    func remember(_ document: [UInt8], as name: String)

    /// Stored Responses that have not expired at `seconds`, the oldest first.
    func responses(at seconds: Int64) async throws -> [StoredDocument]
    /// Keeps a document, in the place of one with its id. It never waits.
    func keep(_ document: StoredDocument)
    /// It never waits.
    func forget(documents ids: [String])
    /// Forgets documents, and returns when they are gone from the disk.
    ///
    /// - Throws: when that could not be written, or not soon. It is written as soon as that works, unless the process ends before.
    func erase(documents ids: [String]) async throws

    // MARK: Looking at it

    /// The last requests, in memory.
    var recent: RecentEntries { get }
    /// What became of a request that has ended, in memory or on the disk; the newest, where several have one id. Nil when there is none.
    func story(of id: String) async throws -> RequestStory?
    /// When each key was last used, in seconds since 1970, to the hour.
    func lastUses() async throws -> [String: Int64]
    /// Requests that have ended, the newest first.
    func requests(_ search: RequestSearch) async throws -> RequestSearch.Page
    /// One of the operator's questions.
    func report(_ question: LedgerQuestion) async throws -> LedgerTable
    /// Rows in time order, in pieces of text, read as they are asked for.
    func export(_ order: LedgerExportOrder) throws -> any LedgerExport
    /// Works out the costs since a moment anew, by other prices. Budgets' counters stay as they were.
    ///
    /// It goes on step by step, each of them whole: whoever ends it half-way may begin again.
    ///
    /// - Parameter cost: that of an attempt; nil when there is no price.
    /// - Returns: how many attempts now have another cost.
    func reprice(since seconds: Int64, _ cost: @escaping @Sendable (UsedAttempt) -> NanoDollars?) async throws -> Int

    /// Writes what is left, and gives the file back. Nothing is recorded any more.
    ///
    /// - Parameter limit: after which it gives up; what is left is lost and counted.
    func close(within limit: Duration) async
}

/// Something that was done to a managed key.
package struct KeyChange: Equatable, Sendable {
    /// Seconds since 1970.
    package var at: Int64
    package var key: String
    /// `create`, `rotate` or `revoke`.
    package var action: String
    /// Who did it: the name of a key, or of a way in.
    package var actor: String

    package init(at: Int64, key: String, action: String, actor: String) {
        self.at = at
        self.key = key
        self.action = action
        self.actor = actor
    }
}

/// What of an attempt in the ledger decides about its cost.
package struct UsedAttempt: Equatable, Sendable {
    /// The name that the client used; nil when another model answered in its place.
    package var asked: String?
    /// The model's id at its upstream.
    package var model: String
    package var upstream: String
    package var usage: LedgerUsage

    package init(asked: String? = nil, model: String, upstream: String, usage: LedgerUsage) {
        self.asked = asked
        self.model = model
        self.upstream = upstream
        self.usage = usage
    }
}

/// How much what a ledger tells the operator matters.
package enum LedgerNotice: Sendable { case notice, warning, error }

/// How the ledger itself does.
package struct LedgerFigures: Equatable, Sendable {
    /// Requests written since the start.
    package var written = 0
    /// Those among them that have no row of their own: another refusal's row counts them.
    package var folded = 0
    /// Requests that could not be kept.
    package var dropped = 0
    /// Requests that wait to be written.
    package var pending = 0
    /// Documents and memory that could not be kept, because too much waits to be written.
    package var documentsDropped = 0
    /// What the last try to write met, or that it does not come back; nil when it succeeded.
    package var problem: String?
    /// For how long the writer has got nothing done, when `problem` is that. It cannot tell of it itself.
    package var standstill: Duration?

    package init() {}
}

/// What a key was charged with in one period of one window.
package struct LedgerCounter: Equatable, Sendable {
    package var key: String
    package var window: BudgetWindow
    /// Seconds since 1970.
    package var periodStart: Int64
    package var requests: Int64
    package var tokens: Int64
    package var cost: NanoDollars

    package init(
        key: String, window: BudgetWindow, periodStart: Int64, requests: Int64 = 0, tokens: Int64 = 0,
        cost: NanoDollars = 0
    ) {
        self.key = key
        self.window = window
        self.periodStart = periodStart
        self.requests = requests
        self.tokens = tokens
        self.cost = cost
    }
}

/// A document of a client's that is kept for some time (the Responses API). It does hold what was said.
package struct StoredDocument: Equatable, Sendable {
    package var id: String
    /// The name of the key whose it is.
    package var key: String
    /// Seconds since 1970.
    package var created: Int64
    package var expires: Int64
    package var bytes: [UInt8]

    package init(id: String, key: String, created: Int64, expires: Int64, bytes: [UInt8]) {
        self.id = id
        self.key = key
        self.created = created
        self.expires = expires
        self.bytes = bytes
    }
}

/// Which requests an operator wants to see.
package struct RequestSearch: Equatable, Sendable {
    package enum Status: Equatable, Sendable {
        /// An answer without an error.
        case ok
        case failed
        case exactly(Int)
    }
    /// Seconds since 1970: from the first, before the second.
    package var from: Int64
    package var to: Int64
    package var key: String?
    /// As the client named it, or the id of the one that answered.
    package var model: String?
    /// Who answered, or was asked last.
    package var upstream: String?
    package var status: Status?
    package var limit = 100
    /// The last one that is known already; those before it are wanted.
    package var before: Int64?

    package init(from: Int64, to: Int64) {
        self.from = from
        self.to = to
    }

    package struct Page: Sendable {
        /// JSON objects, as lines of an export.
        package var rows: [[UInt8]]
        /// What `before` goes on from; nil when there are no more.
        package var next: Int64?

        package init(rows: [[UInt8]] = [], next: Int64? = nil) {
            self.rows = rows
            self.next = next
        }
    }
}

/// What an operator asks the ledger.
package struct LedgerQuestion: Equatable, Sendable {
    package enum Subject: String, Sendable, CaseIterable {
        /// All of it: requests, failures, tokens, cost, how much is not known.
        case summary
        /// A row a day.
        case days
        case keys, models, accounts
        /// By error and upstream.
        case failures
    }
    package var subject: Subject
    /// Seconds since 1970: from the first, before the second.
    package var from: Int64
    package var to: Int64
    /// One key's; nil is all.
    package var key: String?

    package init(_ subject: Subject, from: Int64, to: Int64, key: String? = nil) {
        self.subject = subject
        self.from = from
        self.to = to
        self.key = key
    }
}

/// An answer in rows and columns, for people and for programs.
package struct LedgerTable: Equatable, Sendable {
    package enum Kind: Sendable { case text, count, nanoDollars, milliseconds, share }
    package struct Column: Equatable, Sendable {
        /// As programs know it: `prompt_tokens`.
        package var name: String
        package var kind: Kind

        package init(_ name: String, _ kind: Kind) {
            self.name = name
            self.kind = kind
        }
    }
    package enum Value: Equatable, Sendable {
        case null
        case text(String)
        /// A count, nano-dollars, or microseconds.
        case integer(Int64)
        case real(Double)
    }
    package var columns: [Column]
    package var rows: [[Value]]

    package init(columns: [Column], rows: [[Value]] = []) {
        self.columns = columns
        self.rows = rows
    }
}

package struct LedgerExportOrder: Equatable, Sendable {
    package enum Format: String, Sendable, CaseIterable { case csv, jsonl }
    package enum Level: String, Sendable, CaseIterable { case request, attempt, day }
    package var format: Format
    package var level: Level
    /// Seconds since 1970: from the first, before the second.
    package var from: Int64
    package var to: Int64

    package init(_ level: Level = .request, as format: Format = .jsonl, from: Int64, to: Int64) {
        self.level = level
        self.format = format
        self.from = from
        self.to = to
    }
}

/// The rows of an export, piece by piece. Whoever asks decides when the next is read; nothing is held meanwhile, neither rows nor a transaction.
package protocol LedgerExport: Sendable {
    /// The next piece, of some thousand rows at most; nil at the end.
    func next() async throws -> [UInt8]?
}
