import Foundation
import GRDB
import LedgerTestSupport
import ProxyAccounting
import Synchronization
import Testing

@testable import ProxyLedger

@Suite struct OpeningTests {
    private let harness = LedgerHarness()

    /// A ledger with some rows, closed.
    private func filled(_ count: Int = 200) async throws {
        let ledger = try harness.open()
        var random = RandomEntries(seed: 1)
        random.next(count).forEach(ledger.record)
        await ledger.close(within: .seconds(600))
    }

    static func code(_ open: () throws -> SQLiteLedger) async -> (LedgerError.Code?, String) {
        do {
            let ledger = try open()
            await ledger.close(within: .seconds(600))
            return (nil, "")
        } catch let error as LedgerError {
            return (error.code, error.description)
        } catch {
            return (nil, "\(error)")
        }
    }

    @Test func `A second one is refused and told which process has it`() async throws {
        let first = try harness.open()
        let (code, words) = await Self.code { try harness.open() }
        #expect(code == .inUse)
        #expect(words.contains("process \(getpid())"))
        #expect(words.contains(harness.directory))
        first.record(.sample())
        await first.flush()
        #expect(first.figures.written == 1, "who was first is not disturbed")
        await first.close(within: .seconds(600))
        let second = try harness.open()
        await second.close(within: .seconds(600))
    }

    @Test func `Rows stay from start to start`() async throws {
        try await filled(20)
        try await filled(20)
        #expect(try harness.look { try Int.fetchOne($0, sql: "SELECT count(*) FROM request") } == 40)
    }

    @Test(arguments: [true, false])
    func `An open one whose process is killed is whole up to its last commit`(hasIndex: Bool) async throws {
        let ledger = try harness.open()
        ledger.record(.sample("kept"))
        await ledger.flush()
        // What a killed process leaves: the file, and the log that nobody has taken into it.
        let copy = LedgerHarness()
        try FileManager.default.copyItem(atPath: harness.directory, toPath: copy.directory)
        if !hasIndex { try FileManager.default.removeItem(atPath: copy.path + "-shm") }
        ledger.record(.sample("later"))
        await ledger.close(within: .seconds(600))
        let next = try copy.open()
        #expect(copy.words.isEmpty)
        #expect(try await next.counters(at: LedgerHarness.noon).map(\.requests) == [1, 1, 1, 1, 1])
        await next.close(within: .seconds(600))
        #expect(try copy.look(StoredEntries.all).map(\.id) == ["kept"])
    }

    enum Damage: CaseIterable {
        case randomBytes, text, cutInHalf, cutWithinTheFirstPage, zeroes, brokenSchema
    }

    @Test(arguments: Damage.allCases)
    func `A damaged file is set aside and a new one begun`(damage: Damage) async throws {
        try await filled()
        let file = URL(fileURLWithPath: harness.path)
        var bytes = [UInt8](try Data(contentsOf: file))
        var random = SplitMix64(seed: 3)
        switch damage {
        case .randomBytes: for index in bytes.indices { bytes[index] = random.next(upperBound: 255) }
        case .text: bytes = Array("not a database, but a letter".utf8)
        case .cutInHalf: bytes.removeLast(bytes.count / 2)
        case .cutWithinTheFirstPage: bytes = Array(bytes[..<700])
        case .zeroes: for index in 4096..<bytes.count { bytes[index] = 0 }
        case .brokenSchema: for index in 100..<2000 { bytes[index] = 0x41 }
        }
        try Data(bytes).write(to: file)
        let ledger = try harness.open()
        #expect(harness.words.count == 1)
        #expect(harness.words.first?.contains("damaged-20260304T120000Z") == true)
        let aside = harness.path + ".damaged-20260304T120000Z"
        #expect([UInt8](try Data(contentsOf: URL(fileURLWithPath: aside))) == bytes, "kept as it was")
        ledger.record(.sample())
        await ledger.close(within: .seconds(600))
        #expect(try harness.look(StoredEntries.all).count == 1)
    }

    @Test(arguments: Damage.allCases)
    func `A guest leaves a damaged file as it is, and says what to do`(damage: Damage) async throws {
        try await filled()
        let file = URL(fileURLWithPath: harness.path)
        var bytes = [UInt8](try Data(contentsOf: file))
        switch damage {
        case .randomBytes: for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: index * 7) }
        case .text: bytes = Array("not a database, but a letter".utf8)
        case .cutInHalf: bytes.removeLast(bytes.count / 2)
        case .cutWithinTheFirstPage: bytes = Array(bytes[..<700])
        case .zeroes: for index in 4096..<bytes.count { bytes[index] = 0 }
        case .brokenSchema: for index in 100..<2000 { bytes[index] = 0x41 }
        }
        try Data(bytes).write(to: file)
        var options = harness.options()
        options.isGuest = true
        let (code, words) = await Self.code { try SQLiteLedger.open(options) }
        #expect(code == .damaged)
        #expect(words.contains("was not touched") && words.contains("start the proxy"))
        #expect([UInt8](try Data(contentsOf: file)) == bytes)
        #expect(harness.words.isEmpty)
        let names = try FileManager.default.contentsOfDirectory(atPath: harness.directory)
        #expect(!names.contains { $0.contains("damaged") })
    }

    @Test func `A guest does not take a ledger over`() async throws {
        var options = harness.options()
        options.owner = "/etc/a.conf"
        try await SQLiteLedger.open(options).close(within: .seconds(600))
        var guest = harness.options(calendar: "Europe/Berlin")
        guest.owner = "/etc/b.conf"
        guest.isGuest = true
        try await SQLiteLedger.open(guest).close(within: .seconds(600))
        #expect(harness.words.isEmpty)
        #expect(
            try harness.look {
                try String.fetchAll($0, sql: "SELECT value FROM meta WHERE name IN ('owner', 'calendar') ORDER BY name")
            }
                == ["UTC", "/etc/a.conf"])
        try await SQLiteLedger.open(options).close(within: .seconds(600))
        #expect(harness.words.isEmpty)
    }

    @Test func `A flipped byte at the beginning of any page is found`() async throws {
        try await filled(60)
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: harness.path)))
        let pages = bytes.count / 4096
        #expect(pages > 10)
        for page in 1..<pages {
            let other = LedgerHarness()
            try FileManager.default.createDirectory(atPath: other.directory, withIntermediateDirectories: true)
            var damaged = bytes
            damaged[page * 4096] ^= 0x70
            try Data(damaged).write(to: URL(fileURLWithPath: other.path))
            let ledger = try other.open()
            #expect(other.words.count == 1, "page \(page)")
            await ledger.close(within: .seconds(600))
        }
    }

    @Test func `Its log goes with a damaged file, and two of a second do not meet`() async throws {
        try await filled()
        for number in 1...2 {
            try Data("nonsense".utf8).write(to: URL(fileURLWithPath: harness.path))
            try Data("log \(number)".utf8).write(to: URL(fileURLWithPath: harness.path + "-wal"))
            let ledger = try harness.open()
            await ledger.close(within: .seconds(600))
        }
        let name = "ociai-proxy.db.damaged-20260304T120000Z"
        #expect(harness.files.filter { $0.hasSuffix("Z") || $0.hasSuffix("-2") } == [name, name + "-2"])
        #expect(harness.files.contains(name + "-wal"))
    }

    @Test func `A file of a newer version is refused and stays as it is`() async throws {
        try await filled()
        try harness.change("INSERT INTO grdb_migrations(identifier) VALUES ('9999 what we do not know')")
        let before = try Data(contentsOf: URL(fileURLWithPath: harness.path))
        let (code, words) = await Self.code { try harness.open() }
        #expect(code == .newer)
        #expect(words.contains("newer version"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: harness.path)) == before)
        // And the lock has been given back.
        #expect(await Self.code { try harness.open() }.0 == .newer)
    }

    @Test func `A database of another program is refused and stays as it is`() async throws {
        try FileManager.default.createDirectory(atPath: harness.directory, withIntermediateDirectories: true)
        try harness.change("CREATE TABLE request(x)")
        let before = try Data(contentsOf: URL(fileURLWithPath: harness.path))
        #expect(await Self.code { try harness.open() }.0 == .foreign)
        #expect(try Data(contentsOf: URL(fileURLWithPath: harness.path)) == before)
    }

    @Test(arguments: ["/proc/self", "/proc/nowhere", "/dev/null/here"])
    func `A directory that cannot be made or written is an error that names it`(directory: String) async throws {
        var options = harness.options()
        options.directory = directory
        let (code, words) = await Self.code { try SQLiteLedger.open(options) }
        #expect(code == .unusable)
        #expect(words.contains(directory) && words.contains("state_dir"))
    }

    @Test func `A file that somebody else has locked for good is an error and not damage`() async throws {
        try await filled()
        let other = try harness.unruly()
        try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN EXCLUSIVE") }
        let (code, words) = await Self.code { try harness.open { $0.busyTimeout = .milliseconds(20) } }
        #expect(code == .unusable)
        #expect(words.contains("locked"))
        #expect(harness.words.isEmpty)
        try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        try other.close()
    }

    @Test func `A file that is too large for the time of a check counts as sound`() async throws {
        try await filled(3000)
        let ledger = try harness.open { $0.checkLimit = .zero }
        // The check may have been quicker than its clock; it is never taken for damage.
        #expect(harness.words.allSatisfy { $0.contains("checked in part") })
        await ledger.close(within: .seconds(600))
        #expect(try harness.look { try Int.fetchOne($0, sql: "SELECT count(*) FROM request") } == 3000)
    }

    @Test func `A file for everybody becomes one for its owner`() async throws {
        try await filled(1)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: harness.path)
        let ledger = try harness.open()
        let attributes = try FileManager.default.attributesOfItem(atPath: harness.path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        await ledger.close(within: .seconds(600))
    }

    @Test func `Another configuration's ledger is used, and both are named`() async throws {
        func open(_ owner: String?) async throws {
            var options = harness.options()
            options.owner = owner
            let ledger = try SQLiteLedger.open(options)
            await ledger.close(within: .seconds(600))
        }
        try await open("/etc/a.conf")
        try await open("/etc/a.conf")
        try await open(nil)
        #expect(harness.words.isEmpty)
        try await open("/etc/b.conf")
        #expect(harness.words.count == 1)
        #expect(harness.words.first?.contains("/etc/a.conf") == true && harness.words[0].contains("/etc/b.conf"))
        try await open("/etc/b.conf")
        #expect(harness.words.count == 1, "once")
    }

    @Test func `A process that is about to end is waited for`() async throws {
        let first = try harness.open()
        first.record(.sample("first"))
        var options = harness.options()
        options.lockPatience = .seconds(600)
        var tuning = LedgerTuning()
        tuning.lockInterval = .milliseconds(1)
        async let second = SQLiteLedger.open(patiently: options, tuning)
        while harness.words.isEmpty { await Task.yield() }
        await first.close(within: .seconds(600))
        let ledger = try await second
        #expect(harness.words.count == 1)
        #expect(harness.words[0].contains("process \(getpid())") && harness.words[0].contains("600 seconds"))
        ledger.record(.sample("second"))
        await ledger.close(within: .seconds(600))
        #expect(try harness.look(StoredEntries.all).map(\.id) == ["first", "second"])
    }

    @Test func `Patience ends, and without any it is not told of`() async throws {
        let first = try harness.open()
        for patience in [Duration.zero, .milliseconds(20)] {
            var options = harness.options()
            options.lockPatience = patience
            let error = await #expect(throws: LedgerError.self) { _ = try await SQLiteLedger.open(patiently: options) }
            #expect(error?.code == .inUse)
            #expect(harness.words.count == (patience == .zero ? 0 : 1))
        }
        await first.close(within: .seconds(600))
    }

    @Test func `Whoever waits for it can be called off`() async throws {
        let first = try harness.open()
        var options = harness.options()
        options.lockPatience = .seconds(600)
        let waiting = Task { [options] in try await SQLiteLedger.open(patiently: options) }
        while harness.words.isEmpty { await Task.yield() }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { _ = try await waiting.value }
        await first.close(within: .seconds(600))
    }
}

extension SplitMix64 {
    mutating func next(upperBound: UInt8) -> UInt8 { UInt8(truncatingIfNeeded: next()) % upperBound }
}
