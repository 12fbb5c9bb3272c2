import ClusterSimulation
import ProxyCluster

/// Members and a virtual engine without anything between them: an exchange is answered at once, unless it is said otherwise.
struct Harness {
    var engine = VirtualEngine(run: "run")
    var members: [ClusterMember]
    /// Not there at the moment.
    var gone: Set<Int> = []
    /// Cut off from the engine.
    var cut: Set<Int> = []
    private(set) var now = Duration.seconds(50)
    private var next: [Duration]
    private var dice: Dice
    private let origin: Int64 = 1_790_000_000_000

    init(_ count: Int, leastInstances: Int = 1, seed: UInt64 = 1) {
        var dice = Dice(seed)
        members = (0..<count).map { ClusterMember(instance: "i\($0)", leastInstances: leastInstances) }
        next = (0..<count).map { _ in .seconds(50) + .milliseconds(Int64.random(in: 0...999, using: &dice)) }
        self.dice = dice
    }

    var clock: Int64 { origin + Int64(now / .milliseconds(1)) }

    /// Lets time pass in steps of 10 ms.
    ///
    /// - Parameters:
    ///   - wants: of a member, when it begins an exchange.
    ///   - each: called at each step; true ends it.
    mutating func pass(
        _ length: Duration, meters: (Int, Duration) -> [ExchangeRequest.Meter] = { _, _ in [] },
        answered: (Int, ExchangeReply, ClusterMember) -> Void = { _, _, _ in }, _ wants: (Int) -> [PermitWant],
        each: (inout Harness) -> Bool = { _ in false }
    ) {
        let end = now + length
        while now < end {
            now += .milliseconds(10)
            for index in members.indices where !gone.contains(index) && now >= next[index] {
                next[index] = now + members[index].delay(jitter: Double.random(in: 0..<1, using: &dice))
                let request = members[index].begin(wants(index), meters: meters(index, now), at: now)
                guard !cut.contains(index) else {
                    members[index].failed(request.number, at: now)
                    continue
                }
                guard let reply = engine.exchange(request, at: clock) else { continue }
                if case .applied = members[index].apply(reply, of: request.number, at: now) {
                    answered(index, reply, members[index])
                }
            }
            if each(&self) { return }
        }
    }

    func capacity(_ index: Int, of name: String = "account") -> Int {
        gone.contains(index) ? 0 : members[index].lease(of: name).capacity(at: now)
    }

    var capacities: [Int] { members.indices.map { capacity($0) } }

}
