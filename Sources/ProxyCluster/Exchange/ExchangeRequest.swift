/// What one instance says in an exchange.
package struct ExchangeRequest: Equatable, Sendable {
    /// One object, and what the instance has of it.
    package struct Permits: Equatable, Sendable {
        package var name: String
        /// As this instance knows it; the engine takes the lowest of the last two leases.
        package var limit: Int
        /// What it may have in flight at this moment.
        package var capacity: Int
        package var inFlight: Int
        /// In flight and waiting.
        package var want: Int

        package init(name: String, limit: Int, capacity: Int, inFlight: Int, want: Int) {
            self.name = name
            self.limit = limit
            self.capacity = capacity
            self.inFlight = inFlight
            self.want = want
        }
    }

    /// One meter, and what the instance has drawn and spent of it.
    package struct Meter: Equatable, Sendable {
        package var name: String
        /// A rate fills up within a minute. Else it is a budget, which is spent once.
        package var isRate: Bool
        package var limit: Int64
        /// Up to where the engine has counted for this instance, since the process began.
        package var granted: Int64
        /// Spent at the last exchange that was answered.
        package var settled: Int64
        /// Up to where it may spend at this moment.
        package var allowance: Int64
        package var spent: Int64
        /// What the engine has said last: what was left of a rate, what was used of a budget. -1 when it has not said anything.
        package var known: Int64
        /// Units of the last second.
        package var rate: Int64
        /// The largest request that is to be let in.
        package var need: Int64
        package var isActive: Bool
        /// Milliseconds for which the engine keeps it from now on.
        package var life: Int64
    }

    package var instance: String
    /// Counts up within the life of a process.
    package var number: Int64
    /// Milliseconds.
    package var lease: Int64
    package var isLeaving = false
    package var isLeased: Bool
    /// Of news: what the instance has.
    package var since: Int64
    package var board: Int64
    package var permits: [Permits] = []
    package var meters: [Meter] = []
    package var news: [NewsPost] = []

    package init(instance: String, number: Int64, lease: Int64, isLeased: Bool, since: Int64 = 0, board: Int64 = 0) {
        self.instance = instance
        self.number = number
        self.lease = lease
        self.isLeased = isLeased
        self.since = since
        self.board = board
    }

    /// The arguments of the script: `EVALSHA sha 4` and these.
    package func arguments(_ keys: ExchangeKeys) -> [[UInt8]] {
        var parts = keys.declared.map { Array($0.utf8) }
        parts.reserveCapacity(16 + permits.count * 5 + meters.count * 12 + news.count * 4)
        func add(_ text: String) { parts.append(Array(text.utf8)) }
        func add(_ number: Int64) { add(String(number)) }
        func add(_ flag: Bool) { add(flag ? "1" : "0") }
        add(instance)
        add(number)
        add(lease)
        add(isLeaving)
        add(isLeased)
        add(since)
        add(board)
        add(keys.channel)
        add(keys.meterPrefix)
        add(Int64(permits.count))
        add(Int64(meters.count))
        add(Int64(news.count))
        for permit in permits {
            add(permit.name)
            add(Int64(permit.limit))
            add(Int64(permit.capacity))
            add(Int64(permit.inFlight))
            add(Int64(permit.want))
        }
        for meter in meters {
            add(meter.name)
            add(meter.isRate ? "r" : "b")
            add(meter.limit)
            add(meter.granted)
            add(meter.settled)
            add(meter.allowance)
            add(meter.spent)
            add(meter.known)
            add(meter.rate)
            add(meter.need)
            add(meter.isActive)
            add(meter.life)
        }
        for post in news {
            add(post.topic)
            add(post.rank)
            add(post.life)
            parts.append(post.body)
        }
        return parts
    }
}
