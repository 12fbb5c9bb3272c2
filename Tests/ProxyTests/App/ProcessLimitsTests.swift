import ProxyTestSupport
import Synchronization
import Testing

@testable import Proxy

@Suite struct ProcessLimitsTests {
    @Test func `Too little address space is said`() throws {
        let error = #expect(throws: ExitError.self) { try AddressSpace.check(limit: 400_000 << 10) }
        #expect(error?.description.contains("ulimit -v") == true)
        try AddressSpace.check(limit: .max)
    }

    @Test func `Bodies get a quarter of the memory`() {
        #expect(MemoryFigures.forBodies(of: 8 << 30) == 2 << 30)
        #expect(MemoryFigures.forBodies(of: 512 << 20) == 256 << 20)
        #expect(MemoryFigures.forBodies(of: nil) == 256 << 20)
        #expect(MemoryFigures.forBodies >= 256 << 20)
    }

    @Test func `Freed memory is given back once it has ceased to grow`() {
        var rule = TrimRule()
        func trims(at mebibytes: Int) -> Bool { rule.shouldTrim(resident: mebibytes << 20) }
        #expect(!trims(at: 30))
        #expect(!trims(at: 500), "it may be growing")
        #expect(trims(at: 500))
        rule.trimmed(to: 450 << 20)
        #expect(!trims(at: 450), "that is in use")
        #expect(!trims(at: 60))
        #expect(!trims(at: 400))
        #expect(trims(at: 390))
    }

    @Test(.timeLimit(.minutes(5))) func `The looks are made by the clock`() async {
        let time = ManualTime()
        let sizes = Mutex([100 << 20, 900 << 20, 900 << 20, 50 << 20, 50 << 20])
        let trims = Mutex(0)
        let service = IdleMemory(
            time: time.source, resident: { sizes.withLock { $0.isEmpty ? 50 << 20 : $0.removeFirst() } },
            trim: { trims.withLock { $0 += 1 } })
        let task = Task { await service.run() }
        for _ in 0..<5 {
            await time.waitForSleepers()
            time.advance(by: IdleMemory.interval)
        }
        await time.waitForSleepers()
        task.cancel()
        await task.value
        #expect(trims.withLock { $0 } == 1)
    }
}
