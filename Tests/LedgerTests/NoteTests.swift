import Dispatch
import GRDB
import ProxyAccounting
import Synchronization
import Testing

@testable import ProxyLedger

@Suite struct NoteTests {
    private let harness = LedgerHarness()

    private func document(_ id: String, created: Int64 = 1, expires: Int64 = .max, bytes: Int = 3) -> StoredDocument {
        StoredDocument(
            id: id, key: "team", created: created, expires: expires, bytes: Array(repeating: 7, count: bytes))
    }

    @Test func `The latest of a name counts, before it is written and after`() async throws {
        var ledger = try harness.open()
        ledger.remember([1], as: "learnt")
        ledger.remember([2, 0, 255], as: "learnt")
        ledger.remember([], as: "empty")
        #expect(try await ledger.memory("learnt") == [2, 0, 255])
        await ledger.flush()
        #expect(try await ledger.memory("learnt") == [2, 0, 255])
        ledger.remember([3], as: "learnt")
        await ledger.close(within: .seconds(600))
        ledger = try harness.open()
        #expect(try await ledger.memory("learnt") == [3])
        #expect(try await ledger.memory("empty") == [])
        #expect(try await ledger.memory("nothing") == nil)
        await ledger.close(within: .seconds(600))
    }

    @Test func `Documents are kept, replaced, forgotten and expire`() async throws {
        var ledger = try harness.open()
        for round in 0..<2 {
            ledger.keep(document("a", created: 3))
            ledger.keep(document("b", created: 1, expires: 50))
            ledger.keep(document("c", created: 2))
            ledger.forget(documents: ["c", "unknown"])
            ledger.keep(document("d", created: 1, bytes: 5 + round))
            if round == 0 { await ledger.flush() }
            #expect(try await ledger.responses(at: 49).map(\.id) == ["b", "d", "a"], "round \(round)")
            #expect(try await ledger.responses(at: 50).map(\.id) == ["d", "a"])
        }
        ledger.forget(documents: ["a"])
        #expect(try await ledger.responses(at: 50).map(\.id) == ["d"])
        await ledger.close(within: .seconds(600))
        ledger = try harness.open()
        #expect(try await ledger.responses(at: 50) == [document("d", created: 1, bytes: 6)])
        await ledger.close(within: .seconds(600))
    }

    @Test func `The bytes that wait are bounded, and what is refused is counted`() async throws {
        let ledger = try harness.open { $0.documentBytes = 1000 }
        for number in 0..<12 { ledger.keep(document("\(number)", bytes: 100)) }
        #expect(ledger.figures.documentsDropped == 2)
        ledger.keep(document("0", bytes: 50))
        ledger.forget(documents: ["1"])
        #expect(ledger.figures.documentsDropped == 2, "the smaller one and the end of another fit")
        await ledger.flush()
        ledger.keep(document("new", bytes: 1000))
        #expect(ledger.figures.documentsDropped == 2, "room again")
        #expect(try await ledger.responses(at: 0).count == 10)
        await ledger.close(within: .seconds(600))
    }

    @Test func `For what is to be forgotten there is always room`() {
        let box = NoteBox(byteBound: 100, countBound: 10)
        func put(_ note: NoteBox.Note, _ id: String) -> Bool { box.put(note, as: .document(id)) }
        for number in 0..<10 { #expect(put(.document(document("\(number)")), "\(number)")) }
        #expect(!put(.document(document("refused")), "refused"))
        for number in 10..<1000 { #expect(put(.forgotten, "\(number)")) }
        #expect(box.all.count == 1000)
        // It never came in, so there is nothing to forget: what waits is bounded by what is on the disk.
        #expect(put(.forgotten, "refused") && box.all.count == 1000)
        #expect(put(.forgotten, "refused") && box.all.count == 1001, "whoever says so twice knows more")
        #expect(put(.forgotten, "0") && box.all.count == 1001)
        #expect(box.documents.values.filter { $0 != nil }.count == 9)
    }

    @Test func `What is deleted is gone from the disk when that is answered`() async throws {
        let ledger = try harness.open()
        for id in ["a", "b", "c"] { ledger.keep(document(id)) }
        await ledger.flush()
        // This one has never been written.
        ledger.keep(document("d"))
        try await ledger.erase(documents: ["a", "d", "unknown"])
        #expect(try harness.look { try String.fetchAll($0, sql: "SELECT id FROM document ORDER BY id") } == ["b", "c"])
        await ledger.close(within: .seconds(600))
        await #expect(throws: LedgerError.self) { try await ledger.erase(documents: ["b"]) }
    }

    @Test func `A deletion that a frozen disk keeps is refused in time, and done when it can be`() async throws {
        let ice = Ice(isFrozen: false)
        let ledger = try harness.open {
            $0.beforeWrite = ice.write
            $0.patience = .milliseconds(30)
        }
        ledger.keep(document("a"))
        await ledger.flush()
        ice.freeze()
        let error = await #expect(throws: LedgerError.self) { try await ledger.erase(documents: ["a"]) }
        #expect(error?.code == .tooSlow)
        #expect(try await ledger.responses(at: 0).isEmpty, "nobody is shown it")
        #expect(harness.words.count == 1 && harness.words[0].contains("could be there again after a restart"))
        ice.melt()
        await ledger.flush()
        #expect(try harness.look { try Int.fetchOne($0, sql: "SELECT count(*) FROM document") } == 0)
        await ledger.close(within: .seconds(600))
    }

    @Test func `A deletion that a full disk refuses is told, and done when there is room`() async throws {
        let disk = FailingDisk()
        let ledger = try harness.open { $0.beforeWrite = disk.write }
        ledger.keep(document("a"))
        await ledger.flush()
        disk.isFailing.store(true, ordering: .releasing)
        let error = await #expect(throws: LedgerError.self) { try await ledger.erase(documents: ["a"]) }
        #expect(error?.code == .unusable)
        disk.isFailing.store(false, ordering: .releasing)
        await ledger.flush()
        #expect(try harness.look { try Int.fetchOne($0, sql: "SELECT count(*) FROM document") } == 0)
        await ledger.close(within: .seconds(600))
    }

    @Test func `What could not be written waits for the next time`() async throws {
        let disk = DispatchSemaphore(value: 0)
        let ledger = try harness.open {
            $0.beforeWrite = {
                guard disk.wait(timeout: .now()) == .success else { throw DatabaseError(resultCode: .SQLITE_FULL) }
                disk.signal()
            }
        }
        ledger.remember([1], as: "a")
        ledger.keep(document("d"))
        await ledger.flush()
        #expect(ledger.figures.problem != nil)
        #expect(try await ledger.memory("a") == [1])
        disk.signal()
        await ledger.close(within: .seconds(600))
        #expect(ledger.figures.problem == nil)
        #expect(try harness.look { try Int.fetchOne($0, sql: "SELECT count(*) FROM memory, document") } == 1)
    }

    @Test func `More documents than one step reads come in order`() async throws {
        let ledger = try harness.open()
        for number in 0..<1000 { ledger.keep(document("\(number)", created: Int64(number % 3))) }
        await ledger.flush()
        ledger.keep(document("waiting", created: -5))
        let found = try await ledger.responses(at: 0)
        #expect(found.count == 1001)
        #expect(found.first?.id == "waiting")
        #expect(found.map(\.created) == found.map(\.created).sorted())
        await ledger.close(within: .seconds(600))
    }

    @Test func `Many large documents go in several transactions`() async throws {
        let ledger = try harness.open()
        for number in 0..<40 { ledger.keep(document("\(number)", bytes: 1 << 20)) }
        await ledger.close(within: .seconds(600))
        #expect(try harness.look { try Int.fetchOne($0, sql: "SELECT sum(length(bytes)) FROM document") } == 40 << 20)
    }
}
