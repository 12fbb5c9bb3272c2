import LedgerTestSupport
import ProxyAccounting
import Synchronization

/// A ledger in memory, whose keys and rows a test looks at.
final class KeptLedger: Ledger {
    struct Refused: Error, CustomStringConvertible { let description = "the disk is full" }

    private struct State {
        var page = EntryPage()
        var entries: [LedgerEntry] = []
        var keys: [String: ManagedKey] = [:]
        var actions: [String] = []
        var isFull = false
        var memory: [String: [UInt8]] = [:]
        var documents: [StoredDocument] = []
        var shown: LedgerFigures?
        var secret = (0..<32).map { _ in UInt8.random(in: 0...255) }
    }
    private let state = Mutex(State())

    var entries: [LedgerEntry] { state.withLock { $0.entries } }
    /// `ACTION NAME ACTOR`.
    var actions: [String] { state.withLock { $0.actions } }
    /// From now on nothing can be saved.
    func fill() { state.withLock { $0.isFull = true } }
    /// It can be again.
    func makeRoom() { state.withLock { $0.isFull = false } }

    func record(_ write: (inout EntryPage) -> Void) {
        // In one page and under one lock, as the ledger does it.
        state.withLock { state in
            write(&state.page)
            state.entries.append(state.page.entry(state.page.rows[state.page.count - 1]))
        }
    }
    let recent = RecentEntries()
    func story(of id: String) async throws -> RequestStory? {
        state.withLock { state in
            state.page.rows.last { String(decoding: state.page.text($0.id), as: UTF8.self) == id }.map {
                state.page.story($0)
            }
        }
    }
    func requests(_ search: RequestSearch) async throws -> RequestSearch.Page { RequestSearch.Page() }
    /// It says from now on that it does so.
    func show(_ figures: LedgerFigures) { state.withLock { $0.shown = figures } }
    var figures: LedgerFigures {
        if let shown = state.withLock({ $0.shown }) { return shown }
        var figures = LedgerFigures()
        figures.written = entries.count
        return figures
    }
    func counters(at seconds: Int64) async throws -> [LedgerCounter] { [] }
    func lastUses() async throws -> [String: Int64] { [:] }
    func keys() async throws -> [ManagedKey] { state.withLock { Array($0.keys.values) } }
    func save(_ key: ManagedKey, action: String, by actor: String) async throws {
        try state.withLock { state in
            guard !state.isFull else { throw Refused() }
            state.keys[key.name] = key
            state.actions.append("\(action) \(key.name) \(actor)")
        }
    }
    func keyChanges(of name: String?, limit: Int) async throws -> [KeyChange] {
        actions.map { action in
            let words = action.split(separator: " ", maxSplits: 2).map(String.init)
            return KeyChange(at: 1_767_225_600, key: words[1], action: words[0], actor: words[2])
        }.filter { name == nil || $0.key == name }.suffix(limit)
    }
    func secret() async throws -> (secret: [UInt8], isNew: Bool) { state.withLock { ($0.secret, false) } }
    /// As when the file with it is lost.
    func loseSecret() { state.withLock { $0.secret = (0..<32).map { _ in UInt8.random(in: 0...255) } } }
    func memory(_ name: String) async throws -> [UInt8]? { state.withLock { $0.memory[name] } }
    func remember(_ document: [UInt8], as name: String) { state.withLock { $0.memory[name] = document } }
    var documents: [StoredDocument] { state.withLock { $0.documents } }
    func responses(at seconds: Int64) async throws -> [StoredDocument] {
        state.withLock { $0.documents.filter { $0.expires > seconds } }
    }
    func keep(_ document: StoredDocument) {
        state.withLock { state in
            state.documents.removeAll { $0.id == document.id }
            state.documents.append(document)
        }
    }
    /// On a full disk it waits.
    func forget(documents ids: [String]) {
        state.withLock { state in if !state.isFull { state.documents.removeAll { ids.contains($0.id) } } }
    }
    func erase(documents ids: [String]) async throws {
        try state.withLock { state in
            guard !state.isFull else { throw Refused() }
            state.documents.removeAll { ids.contains($0.id) }
        }
    }
    func report(_ question: LedgerQuestion) async throws -> LedgerTable {
        LedgerTable(
            columns: [.init("key", .text), .init("cost_nano_usd", .nanoDollars), .init("ms", .milliseconds)],
            rows: [[.text("alice"), .null, .integer(1500)], [.null, .integer(3), .real(0.5)]])
    }
    func export(_ order: LedgerExportOrder) throws -> any LedgerExport {
        Pieces(["\(order.level.rawValue) \(order.format.rawValue)\n", "\(order.from) \(order.to)\n"])
    }
    /// Works out what it holds, and says how many have another cost.
    func reprice(since seconds: Int64, _ cost: @escaping @Sendable (UsedAttempt) -> NanoDollars?) async throws -> Int {
        state.withLock { state in
            var changed = 0
            for (row, entry) in state.entries.enumerated() where entry.at >= seconds * 1_000_000 {
                for (index, attempt) in entry.attempts.enumerated() {
                    let new = cost(
                        UsedAttempt(
                            asked: entry.model, model: attempt.model, upstream: attempt.upstream, usage: attempt.usage))
                    if new != attempt.cost { changed += 1 }
                    state.entries[row].attempts[index].cost = new
                }
            }
            return changed
        }
    }
    func close(within limit: Duration) async {}

    private final class Pieces: LedgerExport {
        private let left: Mutex<[String]>
        init(_ pieces: [String]) { left = Mutex(pieces) }
        func next() async throws -> [UInt8]? { left.withLock { $0.isEmpty ? nil : Array($0.removeFirst().utf8) } }
    }
}
