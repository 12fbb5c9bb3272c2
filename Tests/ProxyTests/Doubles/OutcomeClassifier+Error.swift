@testable import Proxy
@testable import ProxyRouting

extension OutcomeClassifier {
    /// What an error means, as it was thrown.
    static func outcome(of error: any Error) -> AttemptOutcome {
        UpstreamFault.failure(error, account: "a").map { outcome(of: $0) } ?? .abandoned
    }
}
