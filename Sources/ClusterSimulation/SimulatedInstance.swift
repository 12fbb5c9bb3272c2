import ProxyCluster

/// A process with its requests. What it knows of time is its own monotonic clock, which has any origin and runs a little fast or slow.
final class SimulatedInstance {
    struct Request: Sendable {
        /// True time.
        var end: Int
        /// The lease under which it was admitted; nil when there was none.
        var term: Int?
    }

    struct Object: Sendable {
        var running: [Request] = []
        var waiting = 0
        /// Requests a millisecond.
        var pace = 0.0
        var starvedSince: Int?
    }

    var member: ClusterMember
    var objects: [Object]
    var rate: Meter
    var budget: Meter
    /// Parts in a million by which the clock runs fast.
    let drift: Int
    let origin: Int
    /// Of its own clock.
    var nextExchange = Duration.zero
    var underWay: (number: Int64, deadline: Duration)?
    var nextTick = 0
    var stoppedUntil = 0
    var cutUntil = 0
    var deafUntil = 0
    /// Counts leases that did not follow each other.
    var term = 0
    var hadLease = false

    init(member: ClusterMember, objects: Int, rate: Meter, budget: Meter, drift: Int, origin: Int) {
        self.member = member
        self.objects = (0..<objects).map { _ in Object() }
        self.rate = rate
        self.budget = budget
        self.drift = drift
        self.origin = origin
    }

    func clock(_ time: Int) -> Duration { .milliseconds(origin + time + time * drift / 1_000_000) }

    /// Before anything else at each moment: notices the end of a lease, also of one that has no turn.
    func noteLease(at time: Int) {
        let has = clock(time) < member.leaseEnd
        if hadLease, !has { term += 1 }
        hadLease = has
    }

    func inFlight(_ object: Int, at time: Int, underLeaseOnly: Bool) -> Int {
        objects[object].running.count { $0.end > time && (!underLeaseOnly || $0.term == term && hadLease) }
    }
}
