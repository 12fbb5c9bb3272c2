import Proxy
import ProxyRouting

/// Counts what happens in a run in trouble.
struct TroubleTally: Observer {
    private let world: TroubleWorld
    /// As `TroubleWorld.value`.
    private(set) var answers = 0.0
    private(set) var attempts = 0
    private(set) var throttled = 0
    private(set) var outOfTime = 0
    /// How long after the end of a trouble somebody has come who got no answer.
    private(set) var lingers = Duration.zero

    init(_ world: TroubleWorld) { self.world = world }

    mutating func noteAttempt(of number: Int, _ request: Request, at index: Int, isFurther: Bool, now: Duration) {
        if request.model != TroubleWorld.sickModel { attempts += 1 }
    }

    mutating func noteEnd(of outcome: AttemptOutcome) {
        switch outcome {
        case .rateLimited: throttled += 1
        case .outOfTime: outOfTime += 1
        default: break
        }
    }

    mutating func noteEnd(
        of number: Int, _ request: Request, isCompleted: Bool, attempts: Int, waited: Duration, now: Duration
    ) {
        guard world.isCounted(request) else { return }
        if isCompleted {
            answers += world.value(of: request, from: now - .seconds(request.length))
        } else if let last = world.troubles.last(where: { $0.upperBound <= request.arrival }),
            !world.troubles.contains(where: { $0.contains(now) })
        {
            lingers = max(lingers, request.arrival - last.upperBound)
        }
    }
}
