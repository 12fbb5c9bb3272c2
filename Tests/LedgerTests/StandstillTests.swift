import LedgerTestSupport
import ProxyAccounting
import Synchronization
import Testing

@testable import ProxyLedger

@Suite struct StandstillTests {
    private let harness = LedgerHarness()

    /// A steady clock that a test moves.
    private final class Clock: Sendable {
        private let now = Mutex<Int64>(0)
        func advance(seconds: Int64) { now.withLock { $0 += seconds * 1_000_000 } }
        func read() -> Int64 { now.withLock { $0 } }
    }

    @Test func `A writer that does not come back from the disk is shown, until it does`() async throws {
        let (ice, clock) = (Ice(), Clock())
        let ledger = try harness.open {
            $0.beforeWrite = ice.write
            $0.wakeAt = 1
            $0.steadyClock = clock.read
        }
        ledger.record(.sample("first"))
        await ice.reached()
        clock.advance(seconds: 4)
        #expect(ledger.figures.problem == nil && ledger.figures.standstill == nil)
        clock.advance(seconds: 3)
        #expect(ledger.figures.problem == "the ledger's file has not answered for 7 s")
        #expect(ledger.figures.standstill == .seconds(7))
        ledger.record(.sample("second"))
        clock.advance(seconds: 50)
        #expect(ledger.figures.standstill == .seconds(57) && ledger.figures.pending == 2)
        ice.melt()
        await ledger.flush()
        #expect(ledger.figures.problem == nil && ledger.figures.standstill == nil && ledger.figures.written == 2)
        await ledger.close(within: .seconds(600))
        clock.advance(seconds: 1000)
        #expect(ledger.figures.problem == nil, "it has ended")
    }

    @Test func `Tries that fail one after the other are a standstill, and then what they met`() async throws {
        let clock = Clock()
        let seen = Mutex<[String?]>([])
        let ledger = Mutex<SQLiteLedger?>(nil)
        let made = try harness.open {
            $0.steadyClock = clock.read
            $0.pauses = [.seconds(1), .seconds(1), .seconds(1)]
            $0.beforeWrite = { throw LedgerError(.unusable, "it is locked") }
            $0.pause = { _ in
                clock.advance(seconds: 4)
                seen.withLock { $0.append(ledger.withLock { $0?.figures.problem }) }
            }
        }
        ledger.withLock { $0 = made }
        made.record(.sample())
        await made.flush()
        let words = [8, 12].map { "the ledger's file has not answered for \($0) s" }
        #expect(seen.withLock { $0 } == [nil] + words)
        #expect(made.figures.problem == "it is locked" && made.figures.standstill == nil)
        clock.advance(seconds: 4000)
        #expect(made.figures.problem == "it is locked", "who has told of trouble himself is believed")
        ledger.withLock { $0 = nil }
        await made.close(within: .seconds(600))
    }

    @Test func `Who waits for work stands still when he should long have looked`() {
        let clock = Clock()
        let pulse = WriterPulse(limit: .seconds(5), clock: clock.read)
        clock.advance(seconds: 6)
        #expect(pulse.standstill == .seconds(6), "it has never begun")
        pulse.beat()
        #expect(pulse.standstill == nil)
        pulse.rest(.seconds(10))
        clock.advance(seconds: 14)
        #expect(pulse.standstill == nil)
        clock.advance(seconds: 1)
        #expect(pulse.standstill == .seconds(5))
        pulse.end()
        #expect(pulse.standstill == nil)
    }

    @Test func `The clock goes on`() {
        let clock = LedgerTuning().steadyClock
        let before = clock()
        while clock() == before {}
        #expect(clock() > before)
    }
}
