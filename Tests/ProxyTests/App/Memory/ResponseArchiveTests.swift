import LedgerTestSupport
import ProxyAccounting
import ProxyTestSupport
import Testing

@testable import Proxy

/// Responses, and where others are kept, over a restart.
@Suite struct ResponseArchiveTests {
    private let ledger = KeptLedger()

    private struct Process {
        let store: ResponseStore
        let makers = ResponseMakers()
        let lost: Int
    }

    /// A process that begins at `seconds` of the wall clock, whose monotonic clock says nothing.
    private func begin(_ limits: ResponseStore.Limits = .init(), at seconds: Int64 = 0) async throws -> (
        Process, ManualTime
    ) {
        let time = ManualTime(wallClock: 2_000_000_000 + seconds)
        let sealed = SealedDocuments(ledger, secret: try await ledger.secret().secret, time: time.source)
        let archive = sealed.archive
        let (documents, lost) = try await sealed.all()
        let process = Process(store: ResponseStore(limits: limits, time: time.source), lost: lost)
        process.store.restore(documents, and: archive)
        process.makers.restore(documents, and: archive)
        return (process, time)
    }

    private static func item(_ id: String, _ text: String) -> ResponseStore.Item {
        ResponseStore.Item(id: id, bytes: Array(text.utf8))
    }

    @Test func `A response is found after a restart, by its own key alone`() async throws {
        let (first, _) = try await begin()
        first.store.shelf(of: "a=").keep(
            "resp_1", input: [Self.item("msg_1", "the question"), Self.item("", "")],
            output: [Self.item("msg_2", "the answer")], response: Array("{}".utf8))
        let (second, time) = try await begin(at: 3600)
        let kept = try #require(second.store.shelf(of: "a=")["resp_1"])
        #expect(kept.input.map(\.id) == ["msg_1", ""] && kept.output.map(\.bytes) == [Array("the answer".utf8)])
        #expect(kept.response == Array("{}".utf8))
        #expect(second.store.shelf(of: "a=").item("msg_2")?.bytes == Array("the answer".utf8))
        #expect(second.store.shelf(of: "b=")["resp_1"] == nil)
        // Its day has begun before the restart.
        time.advance(by: .seconds(23 * 3600 - 1))
        #expect(second.store.shelf(of: "a=")["resp_1"] != nil)
        time.advance(by: .seconds(2))
        #expect(second.store.shelf(of: "a=")["resp_1"] == nil)
        #expect(try await begin(at: 24 * 3600 + 1).0.store.size.count == 0)
    }

    @Test func `Nothing of what was said can be read without the secret`() async throws {
        let (first, _) = try await begin()
        first.store.shelf(of: "a").keep(
            "resp_1", input: [Self.item("msg_1", "a canary sings")], output: [], response: Array("a canary".utf8))
        let document = try #require(ledger.documents.first)
        #expect(document.bytes.count > 20)
        #expect(!String(decoding: document.bytes, as: UTF8.self).contains("canary"))
        ledger.loseSecret()
        let (second, _) = try await begin()
        #expect(second.lost == 1 && second.store.size.count == 0)
        #expect(ledger.documents.isEmpty, "nobody could ever read it")
    }

    @Test func `What is deleted, has expired or had to make room is gone for the next process too`() async throws {
        let (first, time) = try await begin(.init(timeToLive: .seconds(100), count: 10))
        let shelf = first.store.shelf(of: "a")
        for number in 0..<3 {
            shelf.keep("r\(number)", input: [], output: [Self.item("i\(number)", "x")], response: [])
        }
        #expect(try await shelf.erase("r1"))
        #expect(ledger.documents.map(\.id) == ["response a r0", "response a r2"])
        for number in 3..<14 { shelf.keep("r\(number)", input: [], output: [], response: []) }
        #expect(ledger.documents.count == first.store.size.count && first.store.size.count <= 10)
        // The same name anew is one document.
        let count = ledger.documents.count
        shelf.keep("r13", input: [], output: [], response: [7])
        #expect(ledger.documents.count == count)
        time.advance(by: .seconds(101))
        #expect(shelf["r13"] == nil && !ledger.documents.contains { $0.id == "response a r13" })
        #expect(shelf.item("i2") == nil)
        first.store.configure(.init(isOn: false))
        #expect(ledger.documents.isEmpty)
    }

    @Test func `What is deleted while the disk is full may be deleted again, until it is gone`() async throws {
        let (first, _) = try await begin()
        let shelf = first.store.shelf(of: "a")
        shelf.keep("r", input: [], output: [], response: [])
        ledger.fill()
        for _ in 0..<2 {
            await #expect(throws: KeptLedger.Refused.self) { _ = try await shelf.erase("r") }
            #expect(shelf["r"] == nil, "for this process it is gone")
        }
        #expect(ledger.documents.count == 1)
        #expect(try await !first.store.shelf(of: "b").erase("r"), "of another key it is as unknown as ever")
        ledger.makeRoom()
        #expect(try await shelf.erase("r"))
        #expect(ledger.documents.isEmpty)
        #expect(try await !shelf.erase("r"))
    }

    @Test func `What comes when nothing is to be kept any more is not kept`() async throws {
        let (first, _) = try await begin(.init(isOn: false))
        first.store.shelf(of: "a").keep("r", input: [], output: [], response: [])
        #expect(ledger.documents.isEmpty && first.store.size.count == 0)
    }

    @Test func `What this configuration has no room for goes when it is read`() async throws {
        let (first, _) = try await begin()
        for number in 0..<20 { first.store.shelf(of: "a").keep("r\(number)", input: [], output: [], response: []) }
        let (second, _) = try await begin(.init(count: 10))
        #expect(second.store.size.count == 9 && second.store.shelf(of: "a")["r19"] != nil)
        #expect(ledger.documents.count == 9)
        let (third, _) = try await begin(.init(isOn: false))
        #expect(third.store.size.count == 0 && ledger.documents.isEmpty)
    }

    @Test func `Where others keep responses is known again, for its key`() async throws {
        let maker = ResponseMakers.Maker(home: "project in us-chicago-1", model: "xai.grok-4", name: "grok-4")
        let (first, _) = try await begin()
        first.makers.note("resp_up", of: "a", maker)
        first.makers.note("resp_up", of: "a", maker)
        first.makers.note("resp gone", of: "a", maker)
        #expect(ledger.documents.count == 2)
        first.makers.forget("resp gone", of: "a")
        let (second, _) = try await begin(at: 29 * 86_400)
        #expect(second.makers.known("resp_up", to: "a") == .made(maker))
        #expect(second.makers.known("resp_up", to: "b") == .foreign)
        #expect(second.makers.known("resp gone", to: "a") == .nothing)
        #expect(try await begin(at: 31 * 86_400).0.makers.known("resp_up", to: "a") == .nothing)
    }

    @Test func `No more places are kept than are remembered`() async throws {
        let maker = ResponseMakers.Maker(home: "h", model: "m", name: "n")
        let archive = SealedDocuments(
            ledger, secret: try await ledger.secret().secret, time: ManualTime(wallClock: 2_000_000_000).source
        ).archive
        let makers = ResponseMakers(limit: 100)
        makers.restore([], and: archive)
        for number in 0..<1000 { makers.note("r\(number)", of: "a", maker) }
        #expect(ledger.documents.count <= 100)
        #expect(ledger.documents.last?.id == "maker a r999" && makers.known("r999", to: "a") == .made(maker))
    }

    @Test func `Bytes that are no response are none`() throws {
        let kept = ResponseStore.Kept(
            input: [Self.item("msg_1", "q")], output: [Self.item("msg_2", "a"), Self.item("msg_3", "")],
            response: Array("{}".utf8), expires: .zero)
        let bytes = kept.encoded
        #expect(ResponseStore.Kept(encoded: bytes, expires: .zero)?.encoded == bytes)
        for length in 0..<bytes.count {
            #expect(ResponseStore.Kept(encoded: Array(bytes[..<length]), expires: .zero) == nil)
        }
        #expect(ResponseStore.Kept(encoded: bytes + [0], expires: .zero) == nil)
        var random = SplitMix64(seed: 20)
        for _ in 0..<5000 {
            var changed = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                changed[Int.random(in: 0..<changed.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            // Whatever comes of it, it ends.
            if let read = ResponseStore.Kept(encoded: changed, expires: .zero) { #expect(read.encoded == changed) }
        }
    }

    @Test func `Reasoning of those without a key in the file is known again with the installation's secret`()
        async throws
    {
        let (before, after, stranger) = (UnnamedSeals(), UnnamedSeals(), UnnamedSeals())
        let secret = try await ledger.secret().secret
        before.take(secret)
        after.take(secret)
        let sealed = Array(ReasoningSeals([], others: before)["managed"].seal(Array("thought".utf8)[...]).utf8)
        #expect(ReasoningSeals([], others: after)["managed"].open(sealed[...]) == Array("thought".utf8))
        #expect(ReasoningSeals([], others: after)["other"].open(sealed[...]) == nil)
        #expect(ReasoningSeals([], others: stranger)["managed"].open(sealed[...]) == nil)
    }
}
