import Proxy
import ProxyRouting

/// How the upstreams of a run answer: what the proxy can only find out by asking.
protocol HiddenTruth {
    /// An attempt begins. One that is taken has to be given back with `end`.
    mutating func begin(_ request: Request, at index: Int, now: Duration) -> Response

    /// An attempt that was taken is over.
    mutating func end(_ request: Request, at index: Int, now: Duration)

    /// A health check of the upstream would succeed.
    func isUp(_ index: Int, at now: Duration) -> Bool
}

/// How an attempt is answered.
struct Response {
    let outcome: AttemptOutcome
    /// From the attempt's start to its end.
    let takes: Duration
    /// From the attempt's start to the first event of a stream.
    var begins: Duration?
    /// The upstream is busy with it until it ends.
    var isTaken = false
}
