import ProxyAccounting
import Synchronization

/// A ledger in memory, whose keys and rows a test looks at.
final class KeptLedger: Ledger {
    struct Refused: Error, CustomStringConvertible { let description = "the disk is full" }

    private struct State {
        var entries: [LedgerEntry] = []
        var keys: [String: ManagedKey] = [:]
        var actions: [String] = []
        var isFull = false
    }
    private let state = Mutex(State())

    var entries: [LedgerEntry] { state.withLock { $0.entries } }
    /// `ACTION NAME ACTOR`.
    var actions: [String] { state.withLock { $0.actions } }
    /// From now on nothing can be saved.
    func fill() { state.withLock { $0.isFull = true } }

    func record(_ entry: LedgerEntry) { state.withLock { $0.entries.append(entry) } }
    var figures: LedgerFigures {
        var figures = LedgerFigures()
        figures.written = entries.count
        return figures
    }
    func counters(at seconds: Int64) async throws -> [LedgerCounter] { [] }
    func keys() async throws -> [ManagedKey] { state.withLock { Array($0.keys.values) } }
    func save(_ key: ManagedKey, action: String, by actor: String) async throws {
        try state.withLock { state in
            guard !state.isFull else { throw Refused() }
            state.keys[key.name] = key
            state.actions.append("\(action) \(key.name) \(actor)")
        }
    }
    func memory(_ name: String) async throws -> [UInt8]? { nil }
    func remember(_ document: [UInt8], as name: String) {}
    func responses(at seconds: Int64) async throws -> [StoredDocument] { [] }
    func keep(_ document: StoredDocument) {}
    func forget(documents ids: [String]) {}
    func report(_ question: LedgerQuestion) async throws -> LedgerTable {
        LedgerTable(
            columns: [.init("key", .text), .init("cost_nano_usd", .nanoDollars), .init("ms", .milliseconds)],
            rows: [[.text("alice"), .null, .integer(1500)], [.null, .integer(3), .real(0.5)]])
    }
    func export(_ order: LedgerExportOrder) throws -> any LedgerExport {
        Pieces(["\(order.level.rawValue) \(order.format.rawValue)\n", "\(order.from) \(order.to)\n"])
    }
    func reprice(
        since seconds: Int64, _ cost: @escaping @Sendable (String, String, LedgerUsage) -> NanoDollars?
    ) async throws -> Int { 0 }
    func close(within limit: Duration) async {}

    private final class Pieces: LedgerExport {
        private let left: Mutex<[String]>
        init(_ pieces: [String]) { left = Mutex(pieces) }
        func next() async throws -> [UInt8]? { left.withLock { $0.isEmpty ? nil : Array($0.removeFirst().utf8) } }
    }
}
