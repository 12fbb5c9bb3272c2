import Proxy
import ProxyRouting

/// Counts what happens in a run against a made-up world.
struct Tally: Observer {
    private struct Second {
        var arrivals = 0
        var attempts = 0
        var furtherAttempts = 0
        var deadAttempts = 0
    }

    private let world: World
    private var seconds: [Second]
    private let arrivals: Int
    private var ended = 0
    private var completed = 0
    private var attempts = 0
    private var rateLimited = 0
    private var mostAttempts = 0
    private var waits: [Duration] = []

    init(_ world: World, _ requests: [Request]) {
        self.world = world
        arrivals = requests.count
        seconds = Array(repeating: Second(), count: world.duration)
        for request in requests { seconds[Int(request.arrival.components.seconds)].arrivals += 1 }
    }

    mutating func noteAttempt(of number: Int, _ request: Request, at index: Int, isFurther: Bool, now: Duration) {
        attempts += 1
        let second = Int(now.components.seconds)
        // What is left when no more requests arrive is not part of any rate.
        guard second < seconds.count else { return }
        seconds[second].attempts += 1
        if isFurther { seconds[second].furtherAttempts += 1 }
        if world.accounts[index].outage(inSecond: second) != nil { seconds[second].deadAttempts += 1 }
    }

    mutating func noteEnd(of outcome: AttemptOutcome) {
        if case .rateLimited = outcome { rateLimited += 1 }
    }

    mutating func noteEnd(
        of number: Int, _ request: Request, isCompleted: Bool, attempts: Int, waited: Duration, now: Duration
    ) {
        ended += 1
        if isCompleted { completed += 1 }
        mostAttempts = max(mostAttempts, attempts)
        waits.append(waited)
    }

    func figures(oracle: Double, leftWaiting: Int, leftInFlight: Int, limitsKept: Bool) -> RunFigures {
        let sorted = waits.sorted()
        let outage = seconds.indices.filter { world.hasOutage(inSecond: $0) }.map { seconds[$0] }
        let worstMultiple = outage.map { 1 + Double($0.furtherAttempts) / Double(max($0.arrivals, 1)) }.max()
        return RunFigures(
            arrivals: arrivals, completed: completed, failed: ended - completed, oracle: oracle, attempts: attempts,
            rateLimited: rateLimited,
            mostAttempts: mostAttempts, waitP99: sorted.isEmpty ? .zero : sorted[(sorted.count * 99 - 1) / 100],
            worstWait: sorted.last ?? .zero,
            outage: outage.isEmpty
                ? nil
                : RunFigures.Outage(
                    seconds: outage.count, arrivals: outage.reduce(0) { $0 + $1.arrivals },
                    attempts: outage.reduce(0) { $0 + $1.attempts }, worstMultiple: worstMultiple ?? 1,
                    deadAttempts: outage.reduce(0) { $0 + $1.deadAttempts },
                    mostDeadAttempts: outage.map(\.deadAttempts).max() ?? 0),
            leftWaiting: leftWaiting, leftInFlight: leftInFlight, limitsKept: limitsKept)
    }
}
