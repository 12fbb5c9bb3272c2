import ProxyAccounting
import ProxyRouting
import ServiceLifecycle

/// Writes down what the process has learnt, when that has changed, so that the next one begins with it.
struct MemoryKeeper: Service {
    /// What a process that is killed has learnt since is lost.
    static let interval = Duration.seconds(5)
    /// What has not changed is written all the same, so that one sees that it holds still.
    static let longest: Int64 = 3600

    /// What was written last.
    struct Written: Equatable, Sendable {
        /// But for its time.
        let document: [UInt8]
        /// Seconds since 1970.
        let at: Int64
    }

    let ledger: any Ledger
    let state: ProcessState
    let keeper: GenerationKeeper
    /// Of this installation.
    let secret: [UInt8]

    /// Runs until the service group stops it, or its task is cancelled.
    func run() async {
        await cancelWhenGracefulShutdown {
            var last: Written?
            while (try? await state.time.sleep(for: Self.interval)) != nil { last = await save(after: last) }
        }
        // What was learnt up to now, whatever was written before.
        _ = await save(after: nil)
    }

    /// - Returns: what is written now.
    func save(after last: Written?) async -> Written? {
        guard let generation = keeper.present else { return last }
        let memory = await memory(of: generation)
        let now = state.time.wallClock()
        let document = memory.document(at: now, savedAt: 0)
        if let last, last.document == document, now - last.at < Self.longest { return last }
        ledger.remember(memory.document(at: now, savedAt: now), as: LearntMemory.name)
        return Written(document: document, at: now)
    }

    private func memory(of generation: Generation) async -> LearntMemory {
        let now = state.time.now()
        let snapshot = await state.router.snapshot()
        let refused = generation.directory.refusedModels
        var memory = LearntMemory(prices: BuiltInPrices.version)
        memory.upstreams = generation.members.compactMap { member in
            let place = member.upstream.index
            let known = snapshot.upstreams[place].state.memory(at: now)
            let refused = refused.filter { $0.value.contains(place) }.keys.sorted()
            guard !known.isEmpty || !refused.isEmpty else { return nil }
            return LearntMemory.Upstream(
                id: member.upstream.id, mark: member.identity.mark(by: secret), memory: known, refusedModels: refused)
        }
        memory.quirks = state.quirks.memory(at: now)
        return memory
    }
}
