import Foundation
import GRDB
import LedgerTestSupport
import ProxyAccounting
import Testing

@testable import ProxyLedger

@Suite struct ExportTests {
    private let harness = LedgerHarness()

    private func text(_ ledger: SQLiteLedger, _ order: LedgerExportOrder) async throws -> (String, pieces: Int) {
        let export = try ledger.export(order)
        var bytes: [UInt8] = []
        var pieces = 0
        while let piece = try await export.next() {
            bytes += piece
            pieces += 1
        }
        #expect(try await export.next() == nil)
        return (try #require(String(validating: bytes, as: UTF8.self)), pieces)
    }

    private func order(_ level: LedgerExportOrder.Level, _ format: LedgerExportOrder.Format) -> LedgerExportOrder {
        LedgerExportOrder(level, as: format, from: 0, to: .max)
    }

    @Test(arguments: LedgerExportOrder.Format.allCases)
    func `Requests come back as they were recorded, in time order and in pieces`(format: LedgerExportOrder.Format)
        async throws
    {
        let ledger = try harness.open()
        var random = RandomEntries(seed: 11)
        let entries = random.next(2500).sorted { $0.at < $1.at }
        entries.shuffled().forEach(ledger.record)
        await ledger.flush()
        let (text, pieces) = try await text(ledger, order(.request, format))
        #expect(pieces == 3)
        let rows = try Self.parsed(text, format)
        #expect(rows.count == entries.count)
        #expect(rows == entries.map { Self.request($0, format) })
        await ledger.close(within: .seconds(600))
    }

    @Test(arguments: LedgerExportOrder.Format.allCases)
    func `Attempts come back with their requests' ids`(format: LedgerExportOrder.Format) async throws {
        let ledger = try harness.open()
        var random = RandomEntries(seed: 12)
        let entries = random.next(1200).sorted { $0.at < $1.at }
        entries.forEach(ledger.record)
        await ledger.flush()
        let rows = try Self.parsed(try await text(ledger, order(.attempt, format)).0, format)
        #expect(rows == entries.flatMap { entry in entry.attempts.map { Self.attempt($0, of: entry, format) } })
        await ledger.close(within: .seconds(600))
    }

    @Test(arguments: LedgerExportOrder.Format.allCases)
    func `Days add up to what was recorded`(format: LedgerExportOrder.Format) async throws {
        let ledger = try harness.open()
        var random = RandomEntries(seed: 13, days: 60)
        let entries = random.next(3000)
        entries.forEach(ledger.record)
        await ledger.flush()
        let (text, pieces) = try await text(ledger, order(.day, format))
        #expect(pieces > 1)
        let rows = try Self.parsed(text, format)
        func sum(_ name: String) -> Int64 { rows.compactMap { $0[name] ?? nil }.compactMap { Int64($0) }.reduce(0, +) }
        #expect(sum("requests") == 3000)
        #expect(sum("attempts") == Int64(entries.flatMap(\.attempts).count))
        #expect(sum("prompt_tokens") == entries.flatMap(\.attempts).compactMap(\.usage.prompt).reduce(0, +))
        #expect(sum("cost_nano_usd") == entries.flatMap(\.attempts).compactMap(\.cost).reduce(0, +))
        let keys = rows.map { "\($0["day"]!!) \($0["key"]!!) \($0["upstream"]! ?? "") \($0["model"]! ?? "")" }
        #expect(Set(keys).count == rows.count)
        #expect(rows.map { $0["day"]!! } == rows.map { $0["day"]!! }.sorted())
        await ledger.close(within: .seconds(600))
    }

    @Test func `A range takes its first second and not its last`() async throws {
        let ledger = try harness.open()
        for second in 0..<10 { ledger.record(.sample("\(second)", at: LedgerHarness.noon + Int64(second))) }
        await ledger.flush()
        let range = LedgerExportOrder(.request, as: .jsonl, from: LedgerHarness.noon + 3, to: LedgerHarness.noon + 6)
        let rows = try Self.parsed(try await text(ledger, range).0, .jsonl)
        #expect(rows.map { $0["id"]! } == ["3", "4", "5"])
        await ledger.close(within: .seconds(600))
    }

    @Test func `Many of one moment are all there`() async throws {
        let ledger = try harness.open()
        for number in 0..<3001 { ledger.record(.sample("\(number)")) }
        await ledger.flush()
        for level in [LedgerExportOrder.Level.request, .attempt] {
            let rows = try Self.parsed(try await text(ledger, order(level, .jsonl)).0, .jsonl)
            #expect(Set(rows.compactMap { ($0["id"] ?? $0["request_id"])! }).count == 3001)
            #expect(rows.count == 3001)
        }
        await ledger.close(within: .seconds(600))
    }

    @Test func `Nothing is held between pieces, and rows may go meanwhile`() async throws {
        let ledger = try harness.open(retention: .zero)
        for number in 0..<2500 { ledger.record(.sample("\(number)", at: LedgerHarness.noon - 10)) }
        await ledger.flush()
        let export = try ledger.export(order(.request, .jsonl))
        #expect(try await export.next() != nil)
        await ledger.keepUp()
        // The log could be taken in and emptied although the export has not ended.
        let size = try FileManager.default.attributesOfItem(atPath: harness.path + "-wal")[.size] as? Int
        #expect(size == 0)
        #expect(try await export.next() == nil)
        await ledger.close(within: .seconds(600))
    }

    @Test func `The members are those of the contract, in its order`() async throws {
        let ledger = try harness.open()
        let request =
            "id,at,key,dialect,endpoint,model,served_model,upstream,status,error,stream,wait_ms,first_token_ms,total_ms,"
            + "attempts,prompt_tokens,completion_tokens,cached_tokens,reasoning_tokens,truth,cost_nano_usd,rescued,fallback\r\n"
        let attempt =
            "request_id,n,at,upstream,model,region,outcome,status,opc_request_id,first_token_ms,total_ms,prompt_tokens,"
            + "completion_tokens,cached_tokens,reasoning_tokens,characters_in,characters_out,truth,cost_nano_usd\r\n"
        #expect(try await text(ledger, order(.request, .csv)).0 == request, "an empty one has its header")
        #expect(try await text(ledger, order(.attempt, .csv)).0 == attempt)
        #expect(try await text(ledger, order(.request, .jsonl)).0 == "")
        ledger.record(.sample())
        await ledger.flush()
        #expect(
            try await text(ledger, order(.request, .jsonl)).0
                == #"{"id":"r","at":"2026-03-04T12:00:00.000Z","key":"team","dialect":"chat","endpoint":"/v1/chat/completions","#
                + #""model":"grok","served_model":"xai.grok-4","upstream":"fra","status":200,"error":null,"stream":false,"#
                + #""wait_ms":0,"first_token_ms":null,"total_ms":1000,"attempts":1,"prompt_tokens":100,"#
                + #""completion_tokens":10,"cached_tokens":null,"reasoning_tokens":null,"truth":"reported","#
                + #""cost_nano_usd":5000,"rescued":null,"fallback":null}"# + "\n")
        #expect(
            try await text(ledger, order(.attempt, .csv)).0
                == attempt
                + "r,1,2026-03-04T12:00:00.000Z,fra,xai.grok-4,,succeeded,200,,250,1000,100,10,,,,,reported,5000\r\n")
        await ledger.close(within: .seconds(600))
    }
}

// MARK: Reading it back

extension ExportTests {
    typealias Line = [String: String?]

    static func parsed(_ text: String, _ format: LedgerExportOrder.Format) throws -> [Line] {
        switch format {
        case .jsonl:
            return try text.split(separator: "\n").map { line in
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as! [String: Any]
                var found = object.mapValues { value -> String? in
                    switch value {
                    case let text as String: text
                    case is NSNull: nil
                    default: "\(value)"
                    }
                }
                // Foundation does not tell a flag from a number.
                if line.contains(#","stream":true,"#) { found["stream"] = "true" }
                if line.contains(#","stream":false,"#) { found["stream"] = "false" }
                return found
            }
        case .csv:
            var lines = csv(text)
            let names = lines.removeFirst().map { $0 ?? "" }
            return lines.map { Dictionary(uniqueKeysWithValues: zip(names, $0)) }
        }
    }

    /// RFC 4180, where a cell that is empty and not in quotes is nil.
    private static func csv(_ text: String) -> [[String?]] {
        var rows: [[String?]] = []
        var row: [String?] = []
        var cell = String.UnicodeScalarView()
        var isQuoted = false
        var wasQuoted = false
        var scalars = text.unicodeScalars.makeIterator()
        var next = scalars.next()
        func cellEnd() {
            row.append(cell.isEmpty && !wasQuoted ? nil : String(cell))
            cell = String.UnicodeScalarView()
            wasQuoted = false
        }
        while let scalar = next {
            next = scalars.next()
            if isQuoted {
                if scalar == "\"", next == "\"" {
                    cell.append(scalar)
                    next = scalars.next()
                } else if scalar == "\"" {
                    isQuoted = false
                } else {
                    cell.append(scalar)
                }
            } else if scalar == "\"" {
                isQuoted = true
                wasQuoted = true
            } else if scalar == "," {
                cellEnd()
            } else if scalar == "\r", next == "\n" {
                next = scalars.next()
                cellEnd()
                rows.append(row)
                row = []
            } else {
                cell.append(scalar)
            }
        }
        return rows
    }

    private static func client(_ text: String?, _ format: LedgerExportOrder.Format) -> String? {
        guard format == .csv, let first = text?.unicodeScalars.first, "=+-@\t\r\n".unicodeScalars.contains(first) else {
            return text
        }
        return "'" + (text ?? "")
    }

    private static func milliseconds(_ microseconds: Int64?) -> String? {
        guard let microseconds else { return nil }
        guard microseconds % 1000 != 0 else { return "\(microseconds / 1000)" }
        var text = String(format: "%lld.%03lld", microseconds / 1000, microseconds % 1000)
        while text.hasSuffix("0") { text.removeLast() }
        return text
    }

    private static func moment(_ microseconds: Int64) -> String {
        let date = Date(timeIntervalSince1970: Double(microseconds / 1_000_000)).formatted(.iso8601)
        return date.dropLast() + String(format: ".%03lldZ", microseconds / 1000 % 1000)
    }

    private static func number(_ number: Int64?) -> String? { number.map { "\($0)" } }

    private static func usage(_ usage: LedgerUsage) -> Line {
        [
            "prompt_tokens": number(usage.prompt), "completion_tokens": number(usage.completion),
            "cached_tokens": number(usage.cached), "reasoning_tokens": number(usage.reasoning),
            "truth": usage.truth.name,
        ]
    }

    fileprivate static func request(_ entry: LedgerEntry, _ format: LedgerExportOrder.Format) -> Line {
        let line: Line = [
            "id": client(entry.id, format), "at": moment(entry.at), "key": entry.key, "dialect": entry.dialect,
            "endpoint": entry.endpoint, "model": client(entry.model, format), "served_model": entry.servedModel,
            "upstream": entry.upstream, "status": "\(entry.status)", "error": entry.error,
            "stream": entry.isStreaming ? "true" : "false", "wait_ms": milliseconds(entry.wait),
            "first_token_ms": milliseconds(entry.firstToken), "total_ms": milliseconds(entry.total),
            "attempts": "\(entry.attempts.count)", "cost_nano_usd": number(entry.cost), "rescued": entry.rescuedFrom,
            "fallback": entry.fallback,
        ]
        return line.merging(usage(entry.usage)) { $1 }
    }

    fileprivate static func attempt(_ attempt: LedgerAttempt, of entry: LedgerEntry, _ format: LedgerExportOrder.Format)
        -> Line
    {
        let line: Line = [
            "request_id": client(entry.id, format), "n": "\(attempt.number)", "at": moment(attempt.at),
            "upstream": attempt.upstream, "model": attempt.model, "region": attempt.region, "outcome": attempt.outcome,
            "status": attempt.status.map { "\($0)" }, "opc_request_id": client(attempt.opcRequestID, format),
            "first_token_ms": milliseconds(attempt.firstToken), "total_ms": milliseconds(attempt.total),
            "characters_in": number(attempt.usage.charactersIn), "characters_out": number(attempt.usage.charactersOut),
            "cost_nano_usd": number(attempt.cost),
        ]
        return line.merging(usage(attempt.usage)) { $1 }
    }
}

@Suite struct TimestampTests {
    @Test(arguments: 0..<5 as Range<UInt64>)
    func `Moments are written as Foundation writes them`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for _ in 0..<500 {
            let seconds = Int64.random(in: -2_000_000_000...9_000_000_000, using: &random)
            let date = Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
            #expect(Timestamp.iso(microseconds: seconds * 1_000_000) == date.dropLast() + ".000Z")
            #expect(Timestamp.compact(seconds) == date.filter { $0 != "-" && $0 != ":" })
            #expect(Timestamp.date(seconds.flooredDivision(by: 86_400).quotient) == date.prefix(10))
        }
    }
}
