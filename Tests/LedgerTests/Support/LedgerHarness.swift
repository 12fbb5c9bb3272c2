import Foundation
import GRDB
import LedgerTestSupport
import ProxyAccounting
import Synchronization

@testable import ProxyLedger

/// A directory of a test's own, a clock that stands still, and what was told.
final class LedgerHarness: Sendable {
    let directory: String
    let clock: Mutex<Int64>
    let told = Mutex<[String]>([])

    /// 2026-03-04T12:00:00Z, a Wednesday.
    static let noon: Int64 = 1_772_625_600

    init(at seconds: Int64 = noon) {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("ledger-\(UUID())").path
        clock = Mutex(seconds * 1_000_000)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    var path: String { directory + "/ociai-proxy.db" }

    func options(offset: Int64 = 0, calendar: String = "UTC") -> SQLiteLedger.Options {
        SQLiteLedger.Options(
            directory: directory, calendarName: calendar, wallClock: { self.clock.withLock { $0 } },
            periodStart: { periodStart($0, $1, offset: offset) },
            log: { _, text in self.told.withLock { $0.append(text) } })
    }

    /// A ledger whose writer does nothing unless it is asked to, and never sleeps between tries.
    func open(
        offset: Int64 = 0, calendar: String = "UTC", retention: Duration? = nil, maxSize: Int64? = nil,
        _ change: (inout LedgerTuning) -> Void = { _ in }
    ) throws -> SQLiteLedger {
        var tuning = LedgerTuning()
        tuning.interval = .seconds(3600)
        tuning.intervalWhileFailing = .seconds(3600)
        tuning.wakeAt = .max
        tuning.pause = { _ in }
        tuning.keepsUp = false
        tuning.readLimit = .seconds(300)
        tuning.patience = .seconds(600)
        tuning.checkLimit = .seconds(300)
        change(&tuning)
        var options = options(offset: offset, calendar: calendar)
        if let retention { options.retention = retention }
        if let maxSize { options.maxSize = maxSize }
        return try SQLiteLedger.open(options, tuning)
    }

    /// Looks at the file from outside.
    func look<Value>(_ work: (Database) throws -> Value) throws -> Value {
        let queue = try DatabaseQueue(path: path)
        defer { try? queue.close() }
        return try queue.read(work)
    }

    /// A connection that may leave transactions open.
    func unruly() throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        return try DatabaseQueue(path: path, configuration: configuration)
    }

    func change(_ sql: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
        try queue.close()
    }

    func set(seconds: Int64) { clock.withLock { $0 = seconds * 1_000_000 } }

    var words: [String] { told.withLock { $0 } }
    var files: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted() }
}

/// A disk that fails as long as it is told to.
final class FailingDisk: Sendable {
    let isFailing = Atomic(false)

    func write() throws {
        if isFailing.load(ordering: .acquiring) { throw DatabaseError(resultCode: .SQLITE_FULL) }
    }
}

/// A calendar whose months have 30 days, in a zone that is so many seconds before UTC.
func periodStart(_ window: BudgetWindow, _ seconds: Int64, offset: Int64 = 0) -> Int64 {
    func floored(_ length: Int64, _ shift: Int64 = 0) -> Int64 {
        (seconds + offset + shift).flooredDivision(by: length).quotient * length - shift - offset
    }
    return switch window {
    case .hour: floored(3600)
    case .day: floored(86_400)
    // 1970 began on a Thursday.
    case .week: floored(7 * 86_400, 3 * 86_400)
    case .month: floored(30 * 86_400)
    case .total: 0
    }
}

extension LedgerEntry {
    /// A request that was answered at its first attempt.
    static func sample(
        _ id: String = "r", at seconds: Int64 = LedgerHarness.noon, key: String = "team", upstream: String = "fra",
        tokens: Int64 = 100, cost: NanoDollars? = 5000, firstToken: Int64? = 250_000
    ) -> LedgerEntry {
        var usage = LedgerUsage()
        usage.truth = .reported
        usage.prompt = tokens
        usage.completion = 10
        var entry = LedgerEntry(
            id: id, at: seconds * 1_000_000, key: key, dialect: "chat", endpoint: "/v1/chat/completions", status: 200)
        entry.model = "grok"
        entry.servedModel = "xai.grok-4"
        entry.upstream = upstream
        entry.usage = usage
        entry.cost = cost
        entry.chargedTokens = tokens + 10
        entry.chargedCost = cost ?? 0
        entry.total = 1_000_000
        entry.attempts = [
            LedgerAttempt(
                number: 1, at: entry.at, upstream: upstream, model: "xai.grok-4", isModelListed: true,
                outcome: "succeeded", status: 200,
                firstToken: firstToken, total: 1_000_000, usage: usage, cost: cost)
        ]
        return entry
    }
}
