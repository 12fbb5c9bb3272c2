import AllocationCount

/// One operation of the data path, measured by itself.
struct Benchmark {
    let name: String
    /// How often it is done between two looks at the counters.
    let count: Int
    /// Does it that many times.
    let run: (Int) async throws -> Void

    init(_ name: String, count: Int = 1000, _ run: @escaping (Int) async throws -> Void) {
        self.name = name
        self.count = count
        self.run = run
    }

    /// What one operation takes.
    struct Cost {
        var allocations: Double
        var bytes: Double
        /// Depends on the machine and on what else it does.
        var nanoseconds: Double
    }

    /// The least of several turns, after one that fills caches and grows buffers: what else the process may do only adds.
    func measure(turns: Int = 5) async throws -> Cost {
        try await run(count)
        var least = Cost(allocations: .infinity, bytes: .infinity, nanoseconds: .infinity)
        let clock = ContinuousClock()
        for _ in 0..<turns {
            let (calls, bytes, start) = (allocation_count(), allocated_bytes(), clock.now)
            try await run(count)
            let took = clock.now - start
            let per = Double(count)
            least.allocations = min(least.allocations, Double(allocation_count() - calls) / per)
            least.bytes = min(least.bytes, Double(allocated_bytes() - bytes) / per)
            least.nanoseconds = min(least.nanoseconds, took / .nanoseconds(1) / per)
        }
        return least
    }
}

/// Uses a value, so that nothing of what made it can be left out.
@inline(never) @_optimize(none)
func keep<Value>(_ value: borrowing Value) {}
